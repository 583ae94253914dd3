import { isTidemarkError, type Schema } from '@tidemark/core'
import {
  DELETED_FIELD,
  decodeContent,
  type EntityView,
  isDeleted,
  mergeUpdates,
  sameValue,
  schemaVersionOf,
  viewOf,
} from '@tidemark/core/entity'
import type { OperationPart } from '@tidemark/core/protocol'
import { checkRegister, checkValues, migrate, plainOf } from '@tidemark/core/schema'
import type { Log } from '../log.js'
import type { EntityHead, RelayTransaction } from '../storage/index.js'
import type { AdmittedPart } from './admitted-part.js'
import type { DecidedLater, Decision } from './decision.js'
import type { Authorize, EntityChange, EntityValues } from './ports.js'
import type { Submission } from './submission.js'
import { type Rejection, rejected, retryLater } from './verdict.js'

/** What the app has to say about an operation that is well-formed: its schema first, then its `authorize`. */
export interface Policy {
  judge(
    tx: RelayTransaction,
    submission: Submission,
    parts: readonly AdmittedPart[],
  ): Promise<Rejection | DecidedLater | undefined>
}

export interface PolicyOptions {
  readonly authorize: Authorize | undefined
  readonly schema: Schema | undefined
  readonly log: Log
}

/** When what couldn't be decided is tried again, at the earliest. */
const RETRY_MS = 1_000
/** A relay whose schema is older than an app's is about to be updated. */
const OUTDATED_RETRY_MS = 60_000
/** What it was decided on has changed meanwhile: so often it is decided anew. */
const MAX_ROUNDS = 5
const MAX_REASON = 500

/** Undefined where the app has nothing to say: then nothing is read and nothing computed. */
export function createPolicy({ authorize, schema, log }: PolicyOptions): Policy | undefined {
  if (authorize === undefined && schema === undefined) return undefined

  function undecided(submission: Submission, error: unknown): Rejection {
    const { space, author, operation } = submission
    log.error(
      { err: error, space, user: author.user, operation: operation.id },
      'authorize gave no answer; the operation is refused for now',
    )
    return retryLater('unavailable', "It can't be told now whether you may do that.", RETRY_MS)
  }

  return {
    async judge(tx, submission, parts) {
      const { author, decision } = submission
      const bases = parts.map(({ before }) => before?.sequence ?? 0)
      if (decision !== undefined) {
        if (bases.every((base, index) => base === decision.bases[index])) return decision.refusal
        if (decision.round >= MAX_ROUNDS)
          return retryLater('unavailable', 'Others change it all the time.', RETRY_MS)
      }
      const answers: Promise<boolean | string>[] = []
      for (const question of parts) {
        const { part } = question
        if (schema !== undefined && !Object.hasOwn(schema.collections, part.collection))
          return rejected('invalid', `The schema has no collection "${part.collection}".`)
        const views = await viewsOf(tx, submission, question)
        const misfit = schema && misfitOf(schema, question, views)
        if (misfit !== undefined) return misfit
        if (authorize === undefined) continue
        try {
          const change = changeOf(submission, question, views)
          const before = views.before && valuesOf(schema, part, views.before)
          const after = valuesOf(schema, part, views.after)
          const answer = authorize(author.user, change, before, after)
          if (answer instanceof Promise) {
            // What another part says may make nobody wait for it.
            answer.catch(() => undefined)
            answers.push(answer)
          } else if (answer !== true) return refusalFor(answer)
        } catch (error) {
          return undecided(submission, error)
        }
      }
      if (answers.length === 0) return undefined
      const round = (decision?.round ?? 0) + 1
      const decided = Promise.all(answers).then((all): Decision => {
        const refusals = all.filter((answer) => answer !== true).map(refusalFor)
        return { bases, round, refusal: refusals[0] }
      })
      // Nobody waits for it if this transaction fails.
      decided.catch(() => undefined)
      return {
        kind: 'decidedLater',
        decision: decided,
        late: (error) => ({ bases, round, refusal: undecided(submission, error) }),
      }
    },
  }
}

/** @throws Error for what is no answer: a function without a `return` allows nothing */
function refusalFor(answer: boolean | string): Rejection {
  if (answer !== false && typeof answer !== 'string')
    throw new Error(`authorize gave ${String(answer)}; it is true, false or a reason.`)
  return rejected(
    'forbidden',
    answer === false || answer === '' ? 'You may not do that.' : answer.slice(0, MAX_REASON),
  )
}

type Plain = ReturnType<typeof plainOf>

interface Views {
  readonly before: EntityView | undefined
  readonly after: EntityView
}

/** Read from the bytes; a document is opened for texts, lists and XML only. */
async function viewsOf(
  tx: RelayTransaction,
  { space, isHandBack = false }: Submission,
  { part, before, head, snapshot }: AdmittedPart,
): Promise<Views> {
  const log = before && (await readLog(tx, space, part, before, isHandBack))
  const read = (updates: readonly Uint8Array[]): EntityView =>
    viewOf(decodeContent(mergeUpdates(updates)))
  const whole = snapshot === undefined ? [...((head && log) ?? []), part.update] : [snapshot]
  return { before: log && read(log), after: read(whole) }
}

/** Undefined for what can't be read any more and is being brought back. */
async function readLog(
  tx: RelayTransaction,
  space: string,
  part: OperationPart,
  head: EntityHead,
  isHandBack: boolean,
): Promise<readonly Uint8Array[] | undefined> {
  try {
    return await tx.entityLog(space, part, head)
  } catch (error) {
    if (isHandBack && isTidemarkError(error) && error.code === 'corrupt') return undefined
    throw error
  }
}

function misfitOf(
  schema: Schema,
  { part, head, elements }: AdmittedPart,
  { before, after }: Views,
): Rejection | undefined {
  const fields = schema.collections[part.collection]?.fields ?? {}
  const version = schemaVersionOf(after)
  if (version > schema.version) {
    return retryLater(
      'unavailable',
      `Written for version ${version} of the schema, and this relay has ${schema.version}: update the relay.`,
      OUTDATED_RETRY_MS,
    )
  }
  try {
    // What older versions write is checked by what it becomes.
    if (version === schema.version)
      for (const { field, value } of elements) checkRegister(fields, field, value)
    const plain = (view: EntityView): Plain =>
      plainOf(migrate(schema, part.collection, part.id, view), fields)
    checkValues(fields, head && before && plain(before), plain(after))
    return undefined
  } catch (error) {
    if (!isTidemarkError(error)) throw error
    // What can't be brought to this version can still be deleted.
    const isUntouched = before && sameValue(plainOf(before, fields), plainOf(after, fields))
    if (error.code === 'migration-failed' && isUntouched === true) return undefined
    return rejected('invalid', `${part.collection}/${part.id}: ${error.message}`)
  }
}

function changeOf(
  { space, operation, role, isHandBack = false }: Submission,
  { part, head, elements }: AdmittedPart,
  { before, after }: Views,
): EntityChange {
  const fields = elements.map(({ field }) => field.replace(/:.*/s, ''))
  return Object.freeze({
    operation: operation.id,
    space,
    role: role?.() ?? 'admin',
    collection: part.collection,
    id: part.id,
    kind: isHandBack ? 'handBack' : kindOf(head && before, after),
    fields: Object.freeze([...new Set(fields)].filter((field) => !field.startsWith('$'))),
  })
}

function kindOf(before: EntityView | undefined, after: EntityView): EntityChange['kind'] {
  if (before === undefined) return 'create'
  if (isDeleted(before) === isDeleted(after)) return 'update'
  return isDeleted(after) ? 'delete' : 'restore'
}

/** The values as the app's version of the schema has them; as they are stored where it can't be brought to that. */
function valuesOf(
  schema: Schema | undefined,
  { collection, id }: OperationPart,
  view: EntityView,
): EntityValues {
  const fields = schema?.collections[collection]?.fields ?? {}
  const values: Record<string, unknown> = Object.create(null)
  Object.assign(values, plainOf(migrated(schema, collection, id, view), fields), { id })
  if (isDeleted(view)) values[DELETED_FIELD] = view.values[DELETED_FIELD]
  return Object.freeze(values) as EntityValues
}

function migrated(
  schema: Schema | undefined,
  collection: string,
  id: string,
  view: EntityView,
): EntityView {
  if (schema === undefined) return view
  try {
    return migrate(schema, collection, id, view)
  } catch (error) {
    if (isTidemarkError(error)) return view
    throw error
  }
}
