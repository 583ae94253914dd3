import type { EntityState } from '@tidemark/core/protocol'
import type { EntityHead, EntityRef } from '../storage/index.js'

/** An entity as a whole, as it goes over the wire. */
export function toEntityState(ref: EntityRef, head: EntityHead, bytes: Uint8Array): EntityState {
  return {
    collection: ref.collection,
    id: ref.id,
    generation: head.generation,
    confirmedSequence: head.sequence,
    sequence: head.versionSequence,
    lastModified: head.lastModified,
    bytes,
  }
}
