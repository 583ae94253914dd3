import {
  compactUpdate,
  decodeContent,
  mergeRegisters,
  mergeUpdates,
  viewOf,
} from '../entity/index.js'
import type { ConfirmedEntity, EntityRef } from './records.js'

/** What the relay has acknowledged or sent for one entity. */
export interface ConfirmedChange extends EntityRef {
  readonly generation: string
  readonly update: Uint8Array
  readonly sequence: number
  readonly lastModified: number
  /** The space sequence that carried it. */
  readonly confirmedSequence: number
  /** Whether `update` is the whole document, or that of an entity that was just made. */
  readonly isWhole?: boolean
}

/** A document with more than registers is re-encoded once it is twice its compacted size and this much [L17]: below, it isn't worth the time. */
const COMPACT_ABOVE_BYTES = 1024

/**
 * Moves a change into the confirmed snapshot. The same change twice, or changes in another order, give the same
 * values: bytes merge, versions only go up. A whole document of another generation takes the place of the one before; a
 * part of another one is in it already, or belongs to a life that is over [L16] [L23].
 */
export function confirmChange(
  entity: ConfirmedEntity | undefined,
  change: ConfirmedChange,
): ConfirmedEntity {
  const known = entity?.generation === change.generation ? entity : undefined
  if (entity !== undefined && known === undefined && !replaces(change, entity)) return entity
  const updates = known === undefined ? [change.update] : [known.bytes, change.update]
  const compacted = mergeRegisters(updates)
  let bytes = compacted ?? mergeUpdates(updates)
  let compactedSize = compacted?.length ?? known?.compactedSize ?? bytes.length
  if (bytes.length > Math.max(2 * compactedSize, COMPACT_ABOVE_BYTES)) {
    bytes = compactUpdate(bytes)
    compactedSize = bytes.length
  }
  const view = viewOf(decodeContent(bytes))
  return {
    collection: change.collection,
    id: change.id,
    generation: change.generation,
    bytes,
    compactedSize,
    confirmedSequence: Math.max(entity?.confirmedSequence ?? 0, change.confirmedSequence),
    sequence: Math.max(entity?.sequence ?? 0, change.sequence, view.sequence),
    lastModified: Math.max(entity?.lastModified ?? 0, change.lastModified, view.lastModified),
    view,
    ...(known?.owed === undefined ? {} : { owed: known.owed }),
  }
}

/** What is owed to the relay stays until that has it, or has refused it [L22]. */
function replaces(change: ConfirmedChange, entity: ConfirmedEntity): boolean {
  return (
    change.isWhole === true &&
    change.confirmedSequence > entity.confirmedSequence &&
    entity.owed === undefined
  )
}
