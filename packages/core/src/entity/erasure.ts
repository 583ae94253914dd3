import { decodeContent, type Element, registerRoot, toElement, toValue } from './register-log.js'
import { renewDocument } from './renewal.js'
import { formatActor } from './stamp.js'
import { DELETED_FIELD, SCHEMA_FIELD } from './view.js'
import { encodeAppend, eraseItems, mergeUpdates } from './yjs/index.js'

/** Who is named for what nobody shall be named for: of the form that every actor has. */
const NOBODY = { user: 'nobody', replica: 'erased' } as const

/** Whose writes go. */
export interface ErasureContext {
  /** Undefined where nobody knows who wrote under that client id. */
  readonly isClient: (client: number) => boolean | undefined
  readonly isActor: (actor: string) => boolean
  /** The client id that documents are renewed under; belongs to nobody. */
  readonly renewalClient: number
  /** Whether the items have to stay, also where there are registers only: somebody can't say anything again [L24]. */
  readonly keepsItems?: boolean
}

/** What remains of an entity without what somebody wrote. */
export type Erasure =
  /** There is nothing of theirs in it. */
  | { readonly kind: 'untouched' }
  /** Nothing but theirs is in it. */
  | { readonly kind: 'empty' }
  /** A new document of so many items, written by `renewalClient`. */
  | { readonly kind: 'renewed'; readonly update: Uint8Array; readonly items: number }
  /** The same items, without the content of theirs: others may be about to write next to any of them. */
  | { readonly kind: 'erased'; readonly update: Uint8Array }
  /** In these fields it can't be told from what others wrote, or something of others stands inside of it. */
  | { readonly kind: 'entangled'; readonly fields: readonly string[] }

/**
 * Takes what somebody wrote out of a document, for good: registers by the actor who signed them, text, lists and XML by
 * the client ids that they were typed under. What was overwritten or deleted before goes, too, whoever wrote it.
 *
 * Two things can't be told apart. What somebody else has put in again, by pasting it or by undoing a deletion, is that
 * person's by then. And what was counted before a renewal is in one sum with what others counted [L5]: the sum stays, without
 * a name, and so does that an entity is deleted.
 */
export function eraseWriter(bytes: Uint8Array, context: ErasureContext): Erasure {
  const { isClient, isActor, renewalClient, keepsItems = false } = context
  const { live, clocks, overwritten, shared } = decodeContent(bytes)
  const clients = [...clocks.keys()].filter((client) => client !== renewalClient)
  const isTouched =
    clients.some((client) => isClient(client) === true) ||
    [...live, ...(overwritten?.elements() ?? [])].some(({ actor }) => isActor(actor))
  const isUnclear =
    shared() !== undefined && clients.some((client) => isClient(client) === undefined)
  if (!isTouched && !isUnclear) return { kind: 'untouched' }

  const nobody = formatActor({ ...NOBODY, writer: renewalClient })
  const without = (element: Element): Element | undefined => {
    if (!isActor(element.actor)) return element
    return isShared(element, renewalClient) ? { ...element, actor: nobody } : undefined
  }
  const renewed = keepsItems ? undefined : renewDocument(bytes, renewalClient, without)
  if (renewed !== undefined)
    return isEmpty(renewed.update) ? { kind: 'empty' } : { kind: 'renewed', ...renewed }

  const unknown = new Set<string>()
  const { update, entangled } = eraseItems(bytes, (root, { client }, value) => {
    const element = root === registerRoot(client) ? toElement(value) : undefined
    if (element !== undefined) return isActor(element.actor)
    const isTheirs = isClient(client)
    if (isTheirs === undefined) unknown.add(root)
    return isTheirs ?? false
  })
  const fields = [...new Set([...entangled, ...unknown])]
  if (fields.length > 0) return { kind: 'entangled', fields }
  if (!isTouched) return { kind: 'untouched' }
  const nameless = live
    .filter(({ actor }) => isActor(actor))
    .flatMap((element) => without(element) ?? [])
  const erased = appended(update, renewalClient, nameless)
  return isEmpty(erased) ? { kind: 'empty' } : { kind: 'erased', update: erased }
}

/** Whether more depends on it than what one person wrote. */
function isShared(element: Element, renewalClient: number): boolean {
  const isSum =
    typeof element.value === 'number' && element.field.endsWith(`:${renewalClient.toString(36)}`)
  return isSum || isBookkeeping(element)
}

function isBookkeeping({ field }: Element): boolean {
  return field === DELETED_FIELD || field === SCHEMA_FIELD
}

function isEmpty(update: Uint8Array): boolean {
  const { live, shared } = decodeContent(update)
  return live.every(isBookkeeping) && shared() === undefined
}

function appended(update: Uint8Array, client: number, elements: readonly Element[]): Uint8Array {
  if (elements.length === 0) return update
  const { clocks, tails } = decodeContent(update)
  const append = {
    client,
    clock: clocks.get(client) ?? 0,
    root: registerRoot(client),
    tail: tails.get(client),
    values: elements.map(toValue),
  }
  return mergeUpdates([update, encodeAppend(append, [])])
}
