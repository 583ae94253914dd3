import { isTidemarkError } from '@tidemark/core'
import {
  COLLECTION_NAME,
  DELETED_FIELD,
  type Element,
  ENTITY_ID,
  endsOf,
  type ValidatedUpdate,
  validateUpdate,
} from '@tidemark/core/entity'
import { type OperationPart, operationDigest } from '@tidemark/core/protocol'
import type { Log } from '../log.js'
import type { ClientBinding, EntityRef, RelayTransaction } from '../storage/index.js'
import type { AdmittedPart } from './admitted-part.js'
import type { AwaitedCreates } from './awaited-creates.js'
import { compacted, isCompactionDue } from './compaction.js'
import type { DecidedLater } from './decision.js'
import { driftOf } from './drift.js'
import type { EntityCounts } from './entity-counts.js'
import type { HeadBatch } from './entity-heads.js'
import { judgeHandBack } from './hand-back.js'
import { mayWrite } from './identity.js'
import type { Limits } from './limits.js'
import { lifeFor } from './lives.js'
import { isActorOf, OPERATION_ID } from './names.js'
import { nestingAfter } from './nesting.js'
import { isPinned, STOCK_REPLICA } from './pins.js'
import type { Policy } from './policy.js'
import type { Author } from './ports.js'
import { isRenewalDue, type RenewalDue } from './renewals.js'
import type { Submission } from './submission.js'
import { type Rejection, rejected, retryLater, tooLarge, type Verdict } from './verdict.js'

/** One transaction's view: what it wrote so far is what the next operation is judged against. */
export interface AdmissionContext {
  readonly tx: RelayTransaction
  readonly heads: HeadBatch
  readonly counts: EntityCounts
  readonly awaited: AwaitedCreates
  readonly limits: Limits
  readonly log: Log
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Whether devices may bring back what a former life of the database had [L22]. */
  readonly takesHandBacks: boolean
  /** An operation needs entities whose bytes are damaged. */
  readonly damaged: (space: string, entities: readonly EntityRef[]) => void
  /** Entities to be renewed once this is committed. */
  readonly renewals: RenewalDue[]
  /** What the app has to say; undefined: nothing. */
  readonly policy?: Policy | undefined
}

const NO_CLIENTS: ReadonlyMap<number, ClientBinding> = new Map()
/** What is damaged stays damaged until a person has done something. */
const CORRUPT_RETRY_MS = 60_000
const ignore = (): void => {}

/**
 * Judges an operation and, if it is accepted, writes it: idempotence first [L10], then everything that can be wrong with
 * any part, and only then the first write. A refused operation has no effect, and an accepted one has all of it [L21].
 *
 * @throws TidemarkError `storage-failed`: the transaction can't go on
 */
export async function admit(
  context: AdmissionContext,
  submission: Submission,
): Promise<Verdict | DecidedLater> {
  const { tx } = context
  const { space, author, operation } = submission
  if (!OPERATION_ID.test(operation.id)) return rejected('invalid', 'The id is not an operation id.')
  let parts: readonly AdmittedPart[]
  try {
    const known = await tx.operation(space, operation.id)
    if (known !== undefined) {
      if (known.user !== author.user) return rejected('invalid', 'The id is taken.')
      return { kind: 'known', sequence: known.sequence, digest: known.digest }
    }
    if (submission.refusal !== undefined) return submission.refusal
    if (submission.role !== undefined && !mayWrite(submission.role()))
      return rejected('forbidden', 'You may read this space, not write to it.')
    const judged = await judgeParts(context, submission)
    if ('kind' in judged) return judged
    const objection = await context.policy?.judge(tx, submission, judged)
    if (objection !== undefined) return objection
    parts = judged
  } catch (error) {
    return rejectionFor(error, context, submission)
  }

  const sequence = await tx.takeSequence(space)
  for (const admitted of parts) await writePart(context, space, admitted, sequence)
  const digest = operationDigest(operation.parts)
  await tx.putOperation(space, {
    id: operation.id,
    sequence,
    user: author.user,
    replica: author.replica,
    digest,
    acceptedAt: context.now,
  })
  return { kind: 'accepted', sequence, digest }
}

async function judgeParts(
  context: AdmissionContext,
  submission: Submission,
): Promise<readonly AdmittedPart[] | Rejection> {
  const {
    space,
    operation: { parts },
  } = submission
  const { maxParts, maxOperationBytes, maxEntitiesPerSpace } = context.limits
  if (parts.length === 0) return rejected('invalid', 'The operation has no parts.')
  if (parts.length > maxParts) {
    return tooLarge('maxParts', `The operation has ${parts.length} parts; ${maxParts} are allowed.`)
  }
  const bytes = parts.reduce((sum, part) => sum + part.update.length, 0)
  if (bytes > maxOperationBytes) {
    return tooLarge(
      'maxOperationBytes',
      `The operation has ${bytes} bytes; ${maxOperationBytes} are allowed.`,
    )
  }
  const seen = new Set<string>()
  const admitted: AdmittedPart[] = []
  for (const part of parts) {
    if (!COLLECTION_NAME.test(part.collection))
      return rejected('invalid', 'A collection has no valid name.')
    if (!ENTITY_ID.test(part.id)) return rejected('invalid', 'An entity has no valid id.')
    const name = `${part.collection}/${part.id}`
    if (seen.has(name)) return rejected('invalid', `The operation changes ${name} twice.`)
    seen.add(name)
    const judged = submission.isHandBack
      ? await judgeHandBack(context, space, part)
      : await judgePart(context, submission, part)
    if ('kind' in judged) return judged
    admitted.push(judged)
  }
  const created = admitted.filter(({ isNew }) => isNew).length
  if (
    created > 0 &&
    !(await context.counts.fits(context.tx, space, created, maxEntitiesPerSpace, context.now))
  ) {
    return tooLarge(
      'maxEntitiesPerSpace',
      `The space has ${maxEntitiesPerSpace} entities, deleted ones among them; no more are allowed.`,
    )
  }
  return admitted
}

async function judgePart(
  { tx, heads, limits, awaited, now }: AdmissionContext,
  { space, author, worked = ignore }: Submission,
  part: OperationPart,
): Promise<AdmittedPart | Rejection> {
  const name = `${part.collection}/${part.id}`
  const before = await heads.get(space, part)
  const life = await lifeFor(tx, space, part, before)
  if ('kind' in life) return life
  const head = life.base
  if (part.kind === 'update' && before === undefined) {
    return awaited.has(author, space, part)
      ? retryLater('gap', `${name} has to be created first.`, 0)
      : rejected('gone', `${name} is unknown here.`)
  }

  const known = head?.clients ?? NO_CLIENTS
  const isStock = author.replica === STOCK_REPLICA
  const { elements, clocks, tails, types } = validateUpdate(
    part.update,
    {
      clock: (client) => known.get(client)?.clock ?? 0,
      tail: (client) => known.get(client)?.tail ?? undefined,
      ownsClient: (client) => {
        const owner = known.get(client)
        return (
          owner === undefined ||
          (owner.user === author.user && owner.replica === author.replica) ||
          (isStock && isUnclaimed(owner))
        )
      },
      ownsActor: (actor) => isActorOf(author, actor),
      ...(isStock && { end: endsWith(part.update, known) }),
    },
    {
      maxBytes: limits.maxOperationBytes,
      maxElements: limits.maxElements,
      maxDeletions: limits.maxElements,
      ...(isStock && { maxClients: limits.maxClientsPerPinnedEntity }),
    },
  )
  const drift = driftOf(part, elements, head, now, limits)
  if (drift !== undefined) return retryLater('drift', `${name} ${drift}`, 0)
  const clients = bind(known, { clocks, tails }, author)
  const maxClients = isPinned(clients) ? 'maxClientsPerPinnedEntity' : 'maxClientsPerEntity'
  if (clients.size > limits[maxClients]) {
    return tooLarge(
      maxClients,
      `${name} has ${clients.size} client ids; ${limits[maxClients]} are allowed.`,
    )
  }
  if ((head?.snapshotBytes ?? 0) + part.update.length > limits.maxEntityBytes) {
    return tooLarge(
      'maxEntityBytes',
      `${name} would have more than ${limits.maxEntityBytes} bytes.`,
    )
  }
  const nesting = await nestingAfter(tx, space, {
    ref: part,
    head,
    update: part.update,
    types,
    limit: limits.maxNesting,
    worked,
  })
  if (nesting !== undefined && types > 0 && nesting > limits.maxNesting) {
    return tooLarge(
      'maxNesting',
      `${name} would nest ${nesting} levels deep; ${limits.maxNesting} are allowed.`,
    )
  }

  // Versions go on, also in a new life.
  let versionSequence = Math.max(before?.versionSequence ?? 0, part.sequence)
  let lastModified = Math.max(before?.lastModified ?? 0, part.lastModified)
  for (const element of elements) {
    versionSequence = Math.max(versionSequence, element.sequence)
    lastModified = Math.max(lastModified, element.lastModified)
  }
  const isNew = before === undefined
  const isTombstone = head?.tombstoneAt != null || elements.some(deletes)
  const judged = {
    part,
    before,
    head,
    isNew,
    nesting,
    elements,
    clients,
    versionSequence,
    lastModified,
    tombstoneAt: isTombstone ? now : null,
  }
  if (head === undefined && !isNew) return { ...judged, snapshot: part.update }
  const due = head !== undefined && isCompactionDue(head, part.update.length)
  if (due) worked(head.snapshotBytes + head.logBytes)
  const snapshot = due ? compacted(await tx.entityLog(space, part, head), part.update) : undefined
  return { ...judged, snapshot }
}

function deletes({ field, value }: Element): boolean {
  return field === DELETED_FIELD && value !== null
}

/**
 * Of what a device has brought back [L22] nobody may know who wrote it. A stock client can't take another id for what it has
 * written already, so one that goes on under such an id is taken to be its owner.
 */
function isUnclaimed({ user, replica, tail }: ClientBinding): boolean {
  return user === '' && replica === '' && tail === null
}

/**
 * What is there with the update. A stock client writes under another client id after each load, and one update may bring
 * several of them; that they can be put in an order was looked at before [L24].
 */
function endsWith(
  update: Uint8Array,
  known: ReadonlyMap<number, ClientBinding>,
): (client: number) => number {
  const ends = endsOf(update)
  return (client) => Math.max(known.get(client)?.clock ?? 0, ends.get(client) ?? 0)
}

/** Client ids that are new here belong to the author from now on [L19]. */
function bind(
  known: ReadonlyMap<number, ClientBinding>,
  { clocks, tails }: Pick<ValidatedUpdate, 'clocks' | 'tails'>,
  { user, replica }: Author,
): ReadonlyMap<number, ClientBinding> {
  if (clocks.size === 0) return known
  const clients = new Map(known)
  for (const [client, clock] of clocks) {
    const tail = tails.get(client) ?? known.get(client)?.tail ?? null
    clients.set(client, { user, replica, clock, tail })
  }
  return clients
}

async function writePart(
  { tx, heads, counts, limits, renewals }: AdmissionContext,
  space: string,
  admitted: AdmittedPart,
  sequence: number,
): Promise<void> {
  const { part, head, clients, versionSequence, lastModified, tombstoneAt, snapshot } = admitted
  const ref = { collection: part.collection, id: part.id }
  const common = {
    generation: part.generation,
    sequence,
    versionSequence,
    lastModified,
    clients,
    tombstoneAt,
    nesting: admitted.nesting,
  }
  if (admitted.isNew) counts.add(space, 1)
  if (snapshot !== undefined) {
    await tx.putSnapshot(space, ref, snapshot)
    const sizes = { snapshotBytes: snapshot.length, logBytes: 0, logLength: 0 }
    heads.set(space, ref, { ...common, ...sizes })
    if (!isPinned(clients) && isRenewalDue(snapshot, clients.size, limits.renewAboveClients))
      renewals.push({ space, ref })
    return
  }
  await tx.appendUpdate(space, ref, sequence, part.update)
  heads.set(space, ref, {
    ...common,
    snapshotBytes: head?.snapshotBytes ?? 0,
    logBytes: (head?.logBytes ?? 0) + part.update.length,
    logLength: (head?.logLength ?? 0) + 1,
  })
}

/** Only for what goes wrong before the first write. What is not the operation's fault is thrown again. */
function rejectionFor(
  error: unknown,
  { log, damaged }: AdmissionContext,
  submission: Submission,
): Rejection {
  if (!isTidemarkError(error)) throw error
  switch (error.code) {
    case 'update-gap':
      return retryLater('gap', error.message, 0)
    case 'update-invalid':
      return rejected('invalid', error.message)
    case 'corrupt': {
      const { space, operation } = submission
      log.error({ err: error, space, operation: operation.id }, 'an operation needs damaged bytes')
      damaged(
        space,
        operation.parts.map(({ collection, id }) => ({ collection, id })),
      )
      return retryLater('unavailable', 'Damaged here; waits for repair.', CORRUPT_RETRY_MS)
    }
    default:
      throw error
  }
}
