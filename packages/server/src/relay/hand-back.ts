import { isTidemarkError, TidemarkError } from '@tidemark/core'
import {
  compactUpdate,
  decodeContent,
  type EntityContent,
  GENERATION,
  isDeleted,
  lifeOf,
  mergeUpdates,
  nestingOf,
  validateDocument,
  viewOf,
} from '@tidemark/core/entity'
import type { OperationPart } from '@tidemark/core/protocol'
import type { ClientBinding, EntityHead, RelayTransaction } from '../storage/index.js'
import type { AdmittedPart } from './admitted-part.js'
import { driftOf } from './drift.js'
import type { HeadBatch } from './entity-heads.js'
import type { Limits } from './limits.js'
import { authorOf } from './names.js'
import { keepPin } from './pins.js'
import { type Rejection, rejected, retryLater, tooLarge } from './verdict.js'

export interface HandBackContext {
  readonly tx: RelayTransaction
  readonly heads: HeadBatch
  readonly limits: Limits
  readonly now: number
  readonly takesHandBacks: boolean
}

/** What a person has to repair, or a device that has seen all of it. */
const DAMAGED_RETRY_MS = 60_000

/**
 * Judges what a device brings back: of an entity that the relay has lost, has in an older state, or can't read any more
 * [L22]. Structure, limits and times are checked as ever. Who wrote what can't be: client ids and actors of others are
 * vouched for by the sender. So it is only taken in the time after a database has begun a new life, or for damaged entities.
 *
 * @throws TidemarkError `update-invalid`, `update-gap`, `storage-failed`
 */
export async function judgeHandBack(
  context: HandBackContext,
  space: string,
  part: OperationPart,
): Promise<AdmittedPart | Rejection> {
  const { limits, now, takesHandBacks } = context
  const name = `${part.collection}/${part.id}`
  if (!GENERATION.test(part.generation))
    return rejected('invalid', `The generation of ${name} is none.`)
  const known = await readKnown(context, space, part)
  if (!takesHandBacks && !known.isDamaged)
    return rejected('forbidden', 'Nothing was lost here: the relay takes nothing back.')
  const { head } = known
  const refusal = head && refusalByLife(part, head)
  if (refusal !== undefined) return refusal

  const isSameDocument = head?.generation === part.generation
  const merged = merge(isSameDocument ? known.log : [], part.update)
  const { elements, clocks, tails, types } = validateDocument(merged, isActor, {
    maxBytes: limits.maxEntityBytes,
    maxElements: Number.POSITIVE_INFINITY,
    maxDeletions: Number.POSITIVE_INFINITY,
    maxClients: limits.maxClientsPerEntity,
  })
  const nesting = types === 0 ? 0 : nestingOf(merged, 0)
  if (nesting > limits.maxNesting) {
    return tooLarge(
      'maxNesting',
      `${name} would nest ${nesting} levels deep; ${limits.maxNesting} are allowed.`,
    )
  }
  const document = compactUpdate(merged)
  const content = decodeContent(document)
  if (known.isDamaged && isSameDocument && !reaches(content, head))
    return retryLater(
      'unavailable',
      `${name} is damaged; waits for somebody who has all of it.`,
      DAMAGED_RETRY_MS,
    )

  const drift = driftOf(part, elements, head, now, limits)
  // It was accepted once: this relay's clock may be behind, and then it will be right after a while.
  if (drift !== undefined) return retryLater('drift', `${name} ${drift}`, 0)

  const view = viewOf(content)
  return {
    part,
    before: head,
    head,
    isNew: head === undefined,
    nesting,
    elements,
    clients: bindAll(isSameDocument ? head.clients : new Map(), content, { clocks, tails }),
    versionSequence: Math.max(head?.versionSequence ?? 0, part.sequence, view.sequence),
    lastModified: Math.max(head?.lastModified ?? 0, part.lastModified, view.lastModified),
    tombstoneAt: isDeleted(view) ? now : null,
    snapshot: document,
  }
}

interface Known {
  readonly head: EntityHead | undefined
  readonly log: readonly Uint8Array[]
  readonly isDamaged: boolean
}

async function readKnown(
  { tx, heads }: HandBackContext,
  space: string,
  part: OperationPart,
): Promise<Known> {
  let head: EntityHead | undefined
  try {
    head = await heads.get(space, part)
    const log = head === undefined ? [] : await tx.entityLog(space, part, head)
    return { head, log, isDamaged: false }
  } catch (error) {
    if (isTidemarkError(error) && error.code === 'corrupt')
      return { head, log: [], isDamaged: true }
    throw error
  }
}

function refusalByLife(part: OperationPart, head: EntityHead): Rejection | undefined {
  const name = `${part.collection}/${part.id}`
  const [known, wanted] = [lifeOf(head.generation), lifeOf(part.generation)]
  if (wanted < known)
    return rejected('gone', `${name} has another life: it was deleted and made anew.`)
  if (wanted === known && part.generation !== head.generation)
    return retryLater('generation', `${name} has been renewed.`, 0)
  return undefined
}

/** The document with what is brought back. */
function merge(log: readonly Uint8Array[], update: Uint8Array): Uint8Array {
  try {
    return mergeUpdates([...log, update])
  } catch (cause) {
    throw new TidemarkError('update-invalid', 'What is brought back can not be read.', { cause })
  }
}

function reaches(content: EntityContent, head: EntityHead | undefined): boolean {
  if (head === undefined) return true
  return [...head.clients].every(
    ([client, { clock }]) => (content.clocks.get(client) ?? 0) >= clock,
  )
}

function isActor(actor: string): boolean {
  return authorOf(actor) !== undefined
}

/**
 * A client id that has signed registers belongs to who signed them; one that nothing is known of to nobody, so that nobody
 * goes on writing under it [L19].
 */
function bindAll(
  known: ReadonlyMap<number, ClientBinding>,
  content: EntityContent,
  {
    clocks,
    tails,
  }: { readonly clocks: ReadonlyMap<number, number>; readonly tails: ReadonlyMap<number, number> },
): ReadonlyMap<number, ClientBinding> {
  const owners = new Map<number, { readonly user: string; readonly replica: string }>()
  for (const { actor, client } of content.live) {
    const author = authorOf(actor)
    if (author?.writer === client) owners.set(client, author)
  }
  const clients = new Map<number, ClientBinding>()
  for (const [client, clock] of clocks) {
    const { user, replica } = known.get(client) ?? owners.get(client) ?? NOBODY
    clients.set(client, { user, replica, clock, tail: tails.get(client) ?? null })
  }
  keepPin(clients, known)
  return clients
}

const NOBODY = { user: '', replica: '' }
