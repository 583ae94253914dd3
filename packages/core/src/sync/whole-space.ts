import type { EntityState as WireEntity } from '../protocol/index.js'
import {
  type ConfirmedEntity,
  type EntityKey,
  type EntityRef,
  keyOf,
  type Reading,
  type Replica,
  reconcile,
} from '../replica/index.js'
import type { CurrentRows, ReadSet, WritePlan } from '../storage/index.js'
import { type FreshClient, rebasedMeta } from './rebasing.js'

/** Everything that a relay has of a space. */
export interface WholeSpace {
  /** The life of the relay's database that it was read from. */
  readonly epoch: string
  /** In the order of their last sequence; the last state of an entity counts. */
  readonly entities: readonly WireEntity[]
  readonly sequence: number
  readonly horizon: number
}

/** The rows that `planWhole` decides upon: everything that is confirmed here, and everything that was read. */
export function wholeReadSet(replica: Replica, { entities }: WholeSpace): Required<ReadSet> {
  const refs = new Map<EntityKey, EntityRef>()
  for (const { collection, id } of [...replica.confirmed(), ...entities])
    refs.set(keyOf({ collection, id }), { collection, id })
  return { entities: [...refs.values()], operations: [] }
}

export interface WholeContext extends Pick<Reading, 'newId'> {
  readonly fresh: FreshClient
  /** The greatest order in the outbox. */
  readonly lastOrder: number
  readonly now: number
}

/**
 * Puts what the relay has in the place of what was confirmed, in one transaction: after its database began a new life, or
 * when this device has been away for longer than tombstones are kept.
 *
 * What waits stays as it is. Some of it may be known to a former life of the database, and to others from there: it goes out
 * as what is handed back, in the same bytes [L10], and nobody writes on under the client ids from before [L19].
 */
export function planWhole(
  whole: WholeSpace,
  read: Required<ReadSet>,
  current: CurrentRows,
  { fresh, lastOrder, now, newId }: WholeContext,
): WritePlan {
  const { epoch, horizon, sequence } = whole
  const { space, meta } = current
  const reading: Reading = {
    isNewEpoch: space.epoch !== null && space.epoch !== epoch,
    isBehindHorizon: space.checkpoint < horizon,
    client: fresh.client,
    newId,
  }
  const states = new Map(whole.entities.map((entity) => [keyOf(entity), entity]))
  const putEntities: ConfirmedEntity[] = []
  const removeEntities: EntityRef[] = []
  for (const [index, ref] of read.entities.entries()) {
    const state = states.get(keyOf(ref))
    const relay = state && { ...state, update: state.bytes, isWhole: true }
    const row = reconcile(current.entities[index], relay, reading)
    if (row !== undefined) putEntities.push(row)
    else if (current.entities[index] !== undefined) removeEntities.push(ref)
  }
  const { isNewEpoch } = reading
  return {
    space: {
      epoch,
      checkpoint: sequence,
      lastSyncedAt: now,
      horizon,
      ...(isNewEpoch ? { formerUpTo: lastOrder } : {}),
    },
    ...(isNewEpoch ? { meta: rebasedMeta(meta, { ...fresh, clients: [fresh.client] }, []) } : {}),
    putEntities,
    removeEntities,
  }
}
