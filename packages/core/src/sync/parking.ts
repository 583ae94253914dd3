import type { RegisterWrite } from '../entity/index.js'
import {
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

/** A rejected operation with everything that can't stand without it. */
export interface Parking {
  readonly rejected: StoredOperation
  readonly failure: OperationFailure
  readonly dropped: readonly PendingOperation[]
  /** Entities that show something else afterwards. */
  readonly refs: readonly EntityRef[]
}

export function parkingOf(
  replica: Replica,
  rejected: StoredOperation,
  failure: OperationFailure,
): Parking {
  const dropped = withOrphans(
    rejected,
    (key) => pendingOn(replica, key),
    (key) => replica.entity(refOf(key))?.confirmed !== undefined,
  )
  const refs = new Map<EntityKey, EntityRef>()
  for (const operation of dropped) {
    for (const part of operation.parts)
      refs.set(keyOf(part), { collection: part.collection, id: part.id })
  }
  return { rejected, failure, dropped, refs: [...refs.values()] }
}

function pendingOn(replica: Replica, key: EntityKey): readonly PendingOperation[] {
  return replica.entity(refOf(key))?.pending ?? []
}

function refOf(key: EntityKey): EntityRef {
  const slash = key.indexOf('/')
  return { collection: key.slice(0, slash), id: key.slice(slash + 1) }
}

/** The rows that `planParking` decides upon. */
export function parkingReadSet(replica: Replica, { refs, dropped }: Parking): Required<ReadSet> {
  const orders = new Set<number>()
  for (const operation of dropped) {
    const order = replica.orderOf(operation.id)
    if (order !== undefined) orders.add(order)
  }
  for (const ref of refs) for (const { order } of replica.savedOn(ref)) orders.add(order)
  return { entities: refs, operations: [...orders].sort((a, b) => a - b) }
}

/**
 * Takes the dropped operations out of the chain and says the survivors again without them [L12, L14], all in one
 * transaction. Plans nothing when the rows aren't what the parking was made from.
 */
export function planParking(
  { rejected, failure, dropped }: Parking,
  read: Required<ReadSet>,
  current: CurrentRows,
  client: number,
  clients: readonly number[],
): WritePlan {
  const droppedIds = new Set(dropped.map((operation) => operation.id))
  const rows = current.operations.filter((row) => row !== undefined)
  const expected =
    rows.length === read.operations.length && rows.every((row) => row.failure === null)
  if (!expected || !rows.some((row) => row.id === rejected.id)) return {}

  const parked = rows
    .filter((row) => droppedIds.has(row.id))
    .map((row) => ({ ...row, failure: row.id === rejected.id ? failure : orphaned(rejected) }))
  const survivors = new Map<number, StoredOperation>()
  for (const row of rows) if (!droppedIds.has(row.id)) survivors.set(row.order, row)

  read.entities.forEach((ref, index) => {
    const key = keyOf(ref)
    const gone: RegisterWrite[] = parked.flatMap((row) => partOn(row, key)?.writes ?? [])
    const owners = [...survivors.values()].filter((row) => partOn(row, key) !== undefined)
    const parts = owners.map((row) => {
      const part = partOn(row, key) as PendingPart
      return { ...part, writes: inheritSuperseded(part.writes, gone) }
    })
    const rebased = rebaseParts(current.entities[index], parts, client)
    owners.forEach((row, position) => {
      const part = rebased[position]
      if (part === undefined) return
      const next = row.parts.map((own) => (keyOf(own) === key ? part : own))
      survivors.set(row.order, { ...row, parts: next })
    })
  })
  return {
    meta: { rebases: current.meta.rebases + 1, clients },
    putOperations: [...parked, ...survivors.values()],
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
