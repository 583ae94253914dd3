import * as Y from 'yjs'
import { TidemarkError } from '../errors.js'
import { type Element, isRegisterRoot, toElement } from './register-log.js'
import { compareStamps } from './stamp.js'
import { invalid } from './update-errors.js'
import { type UpdateLimits, validateUpdate } from './validate.js'
import { DELETED_FIELD } from './view.js'
import { endsOf, lackingIn, readShared, rootOf } from './yjs/index.js'

/** What somebody who speaks Yjs only has added to an entity's texts, lists and XML. */
export interface SharedEdit {
  /** Only what the document lacks. */
  readonly update: Uint8Array
  /** The client ids that it was written under. */
  readonly clients: readonly number[]
}

/**
 * Reads what of an update from a stock Yjs client is new to a document [L24]: decoded and reduced first, then validated
 * as strictly as any other update, without any effect (reliability F11, F14). Registers can neither be written nor
 * deleted nor be written next to. Whose client ids they are is for the caller to check.
 *
 * @returns undefined when there is nothing new
 * @throws TidemarkError `update-invalid`, or `update-gap` when something before it is missing
 */
export function readSharedEdit(
  doc: Y.Doc,
  update: Uint8Array,
  limits: UpdateLimits,
): SharedEdit | undefined {
  const lacking = reduce(doc, update)
  if (lacking === undefined) return undefined
  const ends = endsOf(lacking.update)
  const { elements, tails } = validateUpdate(
    lacking.update,
    {
      clock: (client) => Y.getState(doc.store, client),
      tail: () => undefined,
      ownsClient: () => true,
      ownsActor: () => true,
      end: (client) => Math.max(ends.get(client) ?? 0, Y.getState(doc.store, client)),
    },
    limits,
  )
  if (elements.length + tails.size > 0)
    throw invalid('registers, which a stock Yjs client may not write')
  for (const item of lacking.touched) {
    const root = rootOf(doc, item)
    if (root !== undefined && isRegisterRoot(root))
      throw invalid('changes of registers, which a stock Yjs client may not make')
  }
  return { update: lacking.update, clients: lacking.clients }
}

function reduce(doc: Y.Doc, update: Uint8Array): ReturnType<typeof lackingIn> {
  try {
    return lackingIn(doc, update)
  } catch (error) {
    if (error instanceof TidemarkError) throw error
    throw new TidemarkError('update-invalid', 'The update ends early or is malformed.', {
      cause: error,
    })
  }
}

/** Whether an open document is that of an entity with a tombstone. */
export function isDeletedDocument(doc: Y.Doc): boolean {
  let latest: Element | undefined
  for (const values of Object.values(readShared(doc, isRegisterRoot) ?? {})) {
    if (typeof values === 'string') continue
    for (const value of values) {
      const element = toElement(value)
      if (element?.field !== DELETED_FIELD) continue
      if (latest === undefined || compareStamps(element, latest) > 0) latest = element
    }
  }
  return typeof latest?.value === 'number'
}
