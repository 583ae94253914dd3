import { TidemarkError } from '@tidemark/core'
import { compactUpdate, mergeRegisters, mergeUpdates } from '@tidemark/core/entity'
import type { EntityHead } from '../storage/index.js'

/** Below this the updates of an entity are not worth a rewrite. */
const MIN_LOG_BYTES = 1024
/** Bounds what reading an entity has to merge, whatever its size. */
const MAX_LOG_LENGTH = 64

/**
 * Whether an update of `bytes` more makes the log so long that the entity gets a new snapshot: storage stays
 * proportional to live data, and a byte is rewritten a constant number of times on average.
 */
export function isCompactionDue(
  head: Pick<EntityHead, 'snapshotBytes' | 'logBytes' | 'logLength'>,
  bytes: number,
): boolean {
  return (
    head.logBytes + bytes > Math.max(2 * head.snapshotBytes, MIN_LOG_BYTES) ||
    head.logLength + 1 > MAX_LOG_LENGTH
  )
}

/**
 * The whole document in as few bytes as Yjs can.
 *
 * @throws TidemarkError `update-invalid` when Yjs can't load the document with the update
 */
export function compacted(log: readonly Uint8Array[], update: Uint8Array): Uint8Array {
  try {
    const updates = [...log, update]
    return mergeRegisters(updates) ?? compactUpdate(mergeUpdates(updates))
  } catch (error) {
    throw new TidemarkError(
      'update-invalid',
      'The document can no longer be read with the update.',
      {
        cause: error,
      },
    )
  }
}
