import {
  decodeContent,
  GENERATION,
  isDeleted,
  lifeOf,
  mergeUpdates,
  viewOf,
} from '@tidemark/core/entity'
import type { OperationPart } from '@tidemark/core/protocol'
import type { EntityHead, RelayTransaction } from '../storage/index.js'
import { type Rejection, rejected, retryLater } from './verdict.js'

/**
 * What a part's generation means here [L16] [L23]: the document that the relay has, one that was renewed since (to be tried
 * again on the new one), an entity that is made anew over its tombstone, or a life that is over.
 *
 * @returns the head that the part builds on; undefined when it begins a life
 */
export async function lifeFor(
  tx: RelayTransaction,
  space: string,
  part: OperationPart,
  head: EntityHead | undefined,
): Promise<{ readonly base: EntityHead | undefined } | Rejection> {
  const name = `${part.collection}/${part.id}`
  if (!GENERATION.test(part.generation))
    return rejected('invalid', `The generation of ${name} is none.`)
  if (head === undefined || part.generation === head.generation) return { base: head }
  const [known, wanted] = [lifeOf(head.generation), lifeOf(part.generation)]
  if (wanted === known) return retryLater('generation', `${name} has been renewed.`, 0)
  const isAnew = part.kind === 'create' && wanted === known + 1
  if (
    isAnew &&
    isDeleted(viewOf(decodeContent(mergeUpdates(await tx.entityLog(space, part, head)))))
  )
    return { base: undefined }
  return rejected('gone', `${name} has another life: it was deleted and made anew.`)
}
