import {
  type EntityKey,
  type EntityRef,
  keyOf,
  movedItems,
  type Replica,
  type Restamping,
  renameInOperation,
  restampOperations,
} from '../replica/index.js'
import type { CurrentRows, ReadSet, WritePlan } from '../storage/index.js'
import { followInParked, sayAgain } from './rebasing.js'

/** The rows that `planRestamp` decides upon: the whole outbox, and what it changes. */
export function restampReadSet(replica: Replica): Required<ReadSet> {
  const refs = new Map<EntityKey, EntityRef>()
  const orders: number[] = []
  for (const { order, parts, failure } of replica.saved()) {
    orders.push(order)
    if (failure !== null) continue
    for (const { collection, id } of parts) refs.set(keyOf({ collection, id }), { collection, id })
  }
  return { entities: [...refs.values()], operations: orders }
}

/**
 * Stamps everything that waits anew and says it again, all in one transaction [L7]. Parked operations are out of the chain
 * [L12] and keep their stamps; what they have superseded goes by its new names in them too.
 */
export function planRestamp(
  read: Required<ReadSet>,
  current: CurrentRows,
  fresh: { readonly client: number; readonly clients: readonly number[] },
  restamping: Restamping,
): WritePlan {
  const rows = current.operations.filter((row) => row !== undefined)
  const waiting = rows.filter((row) => row.failure === null)
  if (rows.length < read.operations.length || waiting.length === 0) return {}

  const { operations, renames } = restampOperations(waiting, restamping)
  const survivors = new Map(operations.map((row) => [row.order, row]))
  const parked = new Map(rows.filter((row) => row.failure !== null).map((row) => [row.order, row]))
  for (const [order, row] of parked) parked.set(order, renameInOperation(row, renames))
  for (const [index, ref] of read.entities.entries()) {
    const said = sayAgain(survivors, ref, current.entities[index], fresh.client)
    followInParked(parked, keyOf(ref), movedItems(said.before, said.after))
  }
  return {
    meta: { rebases: current.meta.rebases + 1, clients: fresh.clients },
    putOperations: [
      ...[...parked.values()].filter((row) => !rows.includes(row)),
      ...survivors.values(),
    ],
  }
}
