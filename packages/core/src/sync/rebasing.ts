import {
  bequeath,
  type EntityKey,
  type EntityRef,
  followItems,
  inheritSuperseded,
  keyOf,
  movedItems,
  type OperationFailure,
  type PendingOperation,
  type PendingPart,
  type Replica,
  rebaseParts,
  type StoredOperation,
  withOrphans,
} from '../replica/index.js'
import type { CurrentRows, ReadSet, WritePlan } from '../storage/index.js'

/** Saying pending operations again on top of what is confirmed, without those that are dropped [L14]. */
export interface Rebase {
  /** Entities whose pending operations are said again. */
  readonly refs: readonly EntityRef[]
  /** By operation id, why it leaves the chain [L12]. */
  readonly dropped: ReadonlyMap<string, OperationFailure>
}

/** Drops a rejected operation with everything that can't stand without it. */
export function rebaseWithout(
  replica: Replica,
  rejected: StoredOperation,
  failure: OperationFailure,
): Rebase {
  const orphans = withOrphans(
    rejected,
    (key) => replica.entity(refOf(key))?.pending ?? [],
    (key) => replica.entity(refOf(key))?.confirmed !== undefined,
  )
  const dropped = new Map<string, OperationFailure>()
  for (const { id } of orphans) {
    dropped.set(id, id === rejected.id ? failure : orphaned(rejected))
  }
  return { refs: refsOf(orphans), dropped }
}

/** Says everything on an operation's entities again, with nothing dropped. */
export function rebaseAround(operation: StoredOperation): Rebase {
  return { refs: refsOf([operation]), dropped: new Map() }
}

function refsOf(operations: readonly PendingOperation[]): EntityRef[] {
  const refs = new Map<EntityKey, EntityRef>()
  for (const operation of operations) {
    for (const { collection, id } of operation.parts) {
      refs.set(keyOf({ collection, id }), { collection, id })
    }
  }
  return [...refs.values()]
}

function refOf(key: EntityKey): EntityRef {
  const slash = key.indexOf('/')
  return { collection: key.slice(0, slash), id: key.slice(slash + 1) }
}

/** The rows that `planRebase` decides upon: all operations on the entities, parked ones too. */
export function rebaseReadSet(replica: Replica, { refs, dropped }: Rebase): Required<ReadSet> {
  const orders = new Set<number>()
  for (const id of dropped.keys()) {
    const order = replica.orderOf(id)
    if (order !== undefined) orders.add(order)
  }
  for (const ref of refs) {
    for (const { order } of replica.savedOn(ref)) orders.add(order)
    for (const { id } of replica.entity(ref)?.failed ?? []) {
      const order = replica.orderOf(id)
      if (order !== undefined) orders.add(order)
    }
  }
  return { entities: refs, operations: [...orders].sort((a, b) => a - b) }
}

/**
 * Parks the dropped operations and says the survivors again, all in one transaction. Plans nothing when the rows aren't
 * what the rebase was made from.
 */
export function planRebase(
  { dropped }: Rebase,
  read: Required<ReadSet>,
  current: CurrentRows,
  client: number,
  clients: readonly number[],
): WritePlan {
  const rows = current.operations.filter((row) => row !== undefined)
  if (rows.length < read.operations.length) return {}
  if (rows.some((row) => row.failure !== null && dropped.has(row.id))) return {}

  const parked: StoredOperation[] = []
  const survivors = new Map<number, StoredOperation>()
  /** Those that had been parked before: what they refer to may be somewhere else now. */
  const waiting = new Map<number, StoredOperation>()
  for (const row of rows) {
    const failure = dropped.get(row.id)
    if (failure !== undefined) parked.push({ ...row, failure })
    else if (row.failure === null) survivors.set(row.order, row)
    else waiting.set(row.order, row)
  }
  if (parked.length === 0 && survivors.size === 0) return {}
  for (const [index, ref] of read.entities.entries()) {
    const key = keyOf(ref)
    const goneParts = parked.flatMap((row) => partOn(row, key) ?? [])
    const owners: StoredOperation[] = []
    const own: PendingPart[] = []
    for (const row of survivors.values()) {
      const part = partOn(row, key)
      if (part === undefined) continue
      owners.push(row)
      own.push(part)
    }
    const { migration, gone } = bequeath(own[0], goneParts)
    const parts = own.map((part, place): PendingPart => {
      const writes = inheritSuperseded(part.writes, gone)
      return { ...part, writes: place === 0 ? [...migration, ...writes] : writes }
    })
    const rebased = rebaseParts(current.entities[index], parts, client, goneParts)
    for (const [position, row] of owners.entries()) {
      const next = row.parts.map((own) => (keyOf(own) === key ? (rebased[position] ?? own) : own))
      survivors.set(row.order, { ...row, parts: next })
    }
    const moved = movedItems(parts, rebased)
    for (const row of waiting.values()) {
      const next = row.parts.map((own) => (keyOf(own) === key ? followItems(own, moved) : own))
      if (next.some((part, place) => part !== row.parts[place]))
        waiting.set(row.order, { ...row, parts: next })
    }
  }
  const followed = [...waiting.values()].filter((row) => !rows.includes(row))
  return {
    meta: { rebases: current.meta.rebases + 1, clients },
    putOperations: [...parked, ...survivors.values(), ...followed],
  }
}

function partOn(operation: PendingOperation, key: EntityKey): PendingPart | undefined {
  return operation.parts.find((part) => keyOf(part) === key)
}

function orphaned(rejected: PendingOperation): OperationFailure {
  return {
    code: 'predecessor-rejected',
    message: `It builds on operation ${rejected.id}, which was rejected.`,
  }
}
