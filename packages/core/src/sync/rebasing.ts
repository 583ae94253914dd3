import {
  type ConfirmedEntity,
  type EntityKey,
  type EntityRef,
  inheritSuperseded,
  keyOf,
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

/** The rows that `planRebase` decides upon: all pending operations of the entities. */
export function rebaseReadSet(replica: Replica, { refs, dropped }: Rebase): Required<ReadSet> {
  const orders = new Set<number>()
  for (const id of dropped.keys()) {
    const order = replica.orderOf(id)
    if (order !== undefined) orders.add(order)
  }
  for (const ref of refs) for (const { order } of replica.savedOn(ref)) orders.add(order)
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
  if (rows.length < read.operations.length || rows.some((row) => row.failure !== null)) return {}
  if (rows.length === 0) return {}

  const parked: StoredOperation[] = []
  const survivors = new Map<number, StoredOperation>()
  for (const row of rows) {
    const failure = dropped.get(row.id)
    if (failure === undefined) survivors.set(row.order, row)
    else parked.push({ ...row, failure })
  }
  for (const [index, ref] of read.entities.entries()) {
    const key = keyOf(ref)
    const gone = parked.flatMap((row) => partOn(row, key)?.writes ?? [])
    sayAgain(survivors, ref, current.entities[index], client, (part) => ({
      ...part,
      writes: inheritSuperseded(part.writes, gone),
    }))
  }
  return {
    meta: { rebases: current.meta.rebases + 1, clients },
    putOperations: [...parked, ...survivors.values()],
  }
}

/** Puts parts on one entity that say the same on top of what is confirmed in the place of those in `operations`. */
export function sayAgain(
  operations: Map<number, StoredOperation>,
  ref: EntityRef,
  confirmed: ConfirmedEntity | undefined,
  client: number,
  adapt: (part: PendingPart) => PendingPart = (part) => part,
): void {
  const key = keyOf(ref)
  const owners: StoredOperation[] = []
  const parts: PendingPart[] = []
  for (const row of operations.values()) {
    const part = partOn(row, key)
    if (part === undefined) continue
    owners.push(row)
    parts.push(adapt(part))
  }
  const said = rebaseParts(confirmed, parts, client)
  for (const [position, row] of owners.entries()) {
    const next = row.parts.map((own) => (keyOf(own) === key ? (said[position] ?? own) : own))
    operations.set(row.order, { ...row, parts: next })
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
