import { mergeUpdates, nestingOf } from '@tidemark/core/entity'
import type { EntityHead, EntityRef, RelayTransaction } from '../storage/index.js'

/**
 * An upper bound of how deep types nest once the update is in, exact whenever the bound would be above the limit. The
 * validator sees one update; a tree that grows by a level with each of many passes it (yjs-facts 5.4).
 *
 *     known bound ──update alone──► still within the limit? ──no──► the whole document
 *
 * @param types how many types the update makes; without any nothing gets deeper
 * @param worked is told the bytes when the whole document is read
 * @throws TidemarkError `corrupt`
 */
export async function nestingAfter(
  tx: RelayTransaction,
  space: string,
  { ref, head, update, types, limit, worked }: NestingQuestion,
): Promise<number | undefined> {
  if (types === 0) return head?.nesting
  if (head === undefined) return nestingOf(update, 0)
  if (head.nesting !== undefined) {
    const bound = Math.max(head.nesting, nestingOf(update, head.nesting))
    if (bound <= limit) return bound
  }
  worked(head.snapshotBytes + head.logBytes)
  const log = await tx.entityLog(space, ref, head)
  return nestingOf(mergeUpdates([...log, update]), 0)
}

export interface NestingQuestion {
  readonly ref: EntityRef
  readonly head: EntityHead | undefined
  readonly update: Uint8Array
  readonly types: number
  readonly limit: number
  readonly worked: (bytes: number) => void
}
