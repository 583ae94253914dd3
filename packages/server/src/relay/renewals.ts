import { mergeUpdates, renewDocument, renewedGeneration } from '@tidemark/core/entity'
import type { EntityState } from '@tidemark/core/protocol'
import type { EntityHead, EntityRef, RelayTransaction } from '../storage/index.js'
import type { HeadBatch } from './entity-heads.js'
import { toEntityState } from './entity-state.js'
import { isPinned } from './pins.js'

/** An entity whose document has gathered more history than it is worth. */
export interface RenewalDue {
  readonly space: string
  readonly ref: EntityRef
}

/** A document that took the place of another one with the same values [L16]. */
export interface Renewal {
  readonly space: string
  readonly sequence: number
  readonly entity: EntityState
}

/** A document's first client id; the others have their own ids again from 0. Belongs to no replica. */
export const RENEWAL_CLIENT = 1
/** Below that much, what could be shed isn't worth that every device takes the document again. */
const MIN_GAIN_BYTES = 1024

/** Whether a document that was just compacted should be renewed. */
export function isRenewalDue(snapshot: Uint8Array, clients: number, maxClients: number): boolean {
  const renewed = renewDocument(snapshot, RENEWAL_CLIENT)
  if (renewed === undefined) return false
  return clients > maxClients || snapshot.length - 2 * renewed.update.length > MIN_GAIN_BYTES
}

/** Puts a new document in the place of each, with a sequence of its own. */
export async function renewAll(
  due: readonly RenewalDue[],
  tx: RelayTransaction,
  heads: HeadBatch,
  random: () => string,
): Promise<readonly Renewal[]> {
  const renewals: Renewal[] = []
  for (const { space, ref } of due) {
    const head = await heads.get(space, ref)
    const log = head === undefined ? [] : await tx.entityLog(space, ref, head)
    const renewed = log.length === 0 ? undefined : renewDocument(mergeUpdates(log), RENEWAL_CLIENT)
    if (head === undefined || renewed === undefined || isPinned(head.clients)) continue
    const sequence = await tx.takeSequence(space)
    const next: EntityHead = {
      ...head,
      generation: renewedGeneration(head.generation, random()),
      sequence,
      clients: new Map([[RENEWAL_CLIENT, ownedByNobody(renewed.items)]]),
      snapshotBytes: renewed.update.length,
      logBytes: 0,
      logLength: 0,
    }
    await tx.putSnapshot(space, ref, renewed.update)
    heads.set(space, ref, next)
    renewals.push({ space, sequence, entity: toEntityState(ref, next, renewed.update) })
  }
  return renewals
}

export function ownedByNobody(items: number): {
  user: string
  replica: string
  clock: number
  tail: number
} {
  return { user: '', replica: '', clock: items, tail: items - 1 }
}
