import { isFieldName } from './names.js'
import { type Stamp, sameStamp } from './stamp.js'
import type { StorableValue } from './value.js'
import {
  decodeRuns,
  encodeAppend,
  type ItemId,
  openDocument,
  readShared,
  type SharedValues,
} from './yjs/index.js'

/**
 * The register log: an entity's fields as elements `[field, value, lastModified, sequence, actor]`.
 *
 * Each Yjs client id appends to a root array of its own, so that writes of different tabs never have each
 * other as origin and tombstones stay contiguous [L4]. A write deletes the live elements of its field that it
 * has seen and appends one. Live elements that remain side by side were written in ignorance of each other.
 */

/** Prefix of the root arrays; what follows is the client id in base 36. */
const REGISTER_ROOT = 'f:'

export function registerRoot(client: number): string {
  return REGISTER_ROOT + client.toString(36)
}

export function isRegisterRoot(root: string): boolean {
  return root.startsWith(REGISTER_ROOT)
}

export interface Element extends Stamp {
  /** A field, or `field:element` of a set. */
  readonly field: string
  readonly value: StorableValue
  /** The entity's modification counter with this write (RFC 5545 SEQUENCE). */
  readonly sequence: number
}

export interface LiveElement extends Element, ItemId {}

/** What of an entity's document matters for reading it and writing to it next. */
export interface EntityContent {
  readonly live: readonly LiveElement[]
  readonly clocks: ReadonlyMap<number, number>
  readonly tails: ReadonlyMap<number, number>
  /**
   * By field, what writes that may still be rejected have removed without putting anything in its place. The next write
   * of the field says that it has seen that too [L2]: nobody could hand it over later, a removal has no stamp.
   */
  readonly removed: Removals
  /**
   * Live elements that were overwritten since. Who has overwritten one as well deletes it as well: the write that did so
   * first may yet be rejected, and then what both have replaced must not come back [L2].
   */
  readonly overwritten: Overwritten | undefined
  /** What text, lists and XML show; read from the document when first asked for. */
  shared(): SharedValues | undefined
}

/** Newest first; a list in links, since a long chain of writes makes one after the other. */
interface Overwritten {
  elements(): readonly LiveElement[]
  readonly before: Overwritten | undefined
}

export type Removals = ReadonlyMap<string, readonly Stamp[]>

const NOTHING_REMOVED: Removals = new Map()

const NOTHING_SHARED = (): undefined => undefined

export const EMPTY_CONTENT: EntityContent = {
  live: [],
  clocks: new Map(),
  tails: new Map(),
  removed: NOTHING_REMOVED,
  overwritten: undefined,
  shared: NOTHING_SHARED,
}

/**
 * What a write means, apart from bytes: what it puts in place of what it saw [L2]. Kept in the outbox, so that
 * a rebase can say the same on top of another state.
 */
export type RegisterWrite =
  | ({
      readonly kind: 'set'
      readonly supersedes: readonly Stamp[]
      /** Stamps that it had before it was stamped anew [L7]. */
      readonly formerly?: readonly Stamp[]
    } & Element)
  /** Adds to a counter, of which each client id has a register of its own that only it writes [L5]. */
  | ({ readonly kind: 'increment'; readonly by: number } & Omit<Element, 'value'>)
  | { readonly kind: 'remove'; readonly field: string; readonly supersedes: readonly Stamp[] }

/** The stamps that a write says it has seen and replaces; a counter's writes replace only what their own client id wrote. */
export function supersededBy(write: RegisterWrite): readonly Stamp[] {
  return write.kind === 'increment' ? [] : write.supersedes
}

/** What is known to be in a document before it is read. */
export interface KnownValues {
  /** By register key, what is shown. */
  readonly values: Readonly<Record<string, StorableValue>>
  readonly shared: SharedValues | undefined
}

/**
 * Reads a document. Where what it shows is known, only what is unknown is read, which takes half the time: who wrote what,
 * and every value of fields with rivals.
 *
 * @throws TidemarkError `corrupt`
 */
export function decodeContent(update: Uint8Array, known?: KnownValues): EntityContent {
  if (known !== undefined) {
    const content = contentWith(update, known)
    // Else a field has several elements, of which the values show one.
    if (content.live.length === Object.keys(known.values).length) return content
  }
  return contentWith(update, undefined)
}

function contentWith(update: Uint8Array, known: KnownValues | undefined): EntityContent {
  const { clocks, runs, tails, shared, isDeleted } = decodeRuns(
    update,
    registerRoot,
    known === undefined,
  )
  const live: LiveElement[] = []
  let hasOverwritten = false
  for (const { client, clock, values } of runs) {
    let at = clock
    for (const value of values) {
      if (isDeleted(client, at)) hasOverwritten = true
      else addElement(live, value, client, at, known?.values)
      at += 1
    }
  }
  const overwritten = (): readonly LiveElement[] => {
    const elements: LiveElement[] = []
    for (const { client, clock, values } of runs) {
      for (const [offset, value] of values.entries()) {
        const at = clock + offset
        if (isDeleted(client, at)) addElement(elements, value, client, at, undefined)
      }
    }
    return elements
  }
  return {
    live,
    clocks,
    tails,
    removed: NOTHING_REMOVED,
    overwritten: hasOverwritten ? { elements: once(overwritten), before: undefined } : undefined,
    shared: shared ? (known ? () => known.shared : once(() => sharedOf(update))) : NOTHING_SHARED,
  }
}

/** Leaves out what is not an element. */
function addElement(
  elements: LiveElement[],
  read: unknown,
  client: number,
  clock: number,
  known: KnownValues['values'] | undefined,
): void {
  if (!isElement(read)) return
  // By index and field by field: iterating and spreading cost several times as much, and this runs for every element.
  const field = read[0]
  elements.push({
    field,
    value: known === undefined ? read[1] : known[field],
    lastModified: read[2],
    sequence: read[3],
    actor: read[4],
    client,
    clock,
  })
}

function sharedOf(update: Uint8Array): SharedValues | undefined {
  const doc = openDocument([update], 0)
  try {
    return readShared(doc, isFieldName)
  } finally {
    doc.destroy()
  }
}

function once<T>(compute: () => T): () => T {
  let known: { readonly value: T } | undefined
  return () => {
    known ??= { value: compute() }
    return known.value
  }
}

type StoredElement = readonly [string, StorableValue, number, number, string]

/** A document that others wrote into may hold anything. */
function isElement(value: unknown): value is StoredElement {
  if (!Array.isArray(value) || value.length !== 5) return false
  const elements: readonly unknown[] = value
  return (
    typeof elements[0] === 'string' &&
    typeof elements[4] === 'string' &&
    Number.isSafeInteger(elements[2]) &&
    Number.isSafeInteger(elements[3])
  )
}

/** Undefined for what is not an element. */
export function toElement(stored: unknown): Element | undefined {
  if (!isElement(stored)) return undefined
  const [field, value, lastModified, sequence, actor] = stored
  return { field, value, lastModified, sequence, actor }
}

/** As it stands in a register array. */
export function toValue({ field, value, lastModified, sequence, actor }: Element): unknown[] {
  return [field, value, lastModified, sequence, actor]
}

export interface WrittenContent {
  /** The bytes that say it, Yjs update format v1. */
  readonly update: Uint8Array
  readonly content: EntityContent
}

/**
 * Writes under client id `client`: deletes exactly the live elements whose stamps the writes supersede [L2], also those
 * of writes before them, and appends one element for each `set` and each counter.
 */
export function writeRegisters(
  content: EntityContent,
  client: number,
  writes: readonly RegisterWrite[],
): WrittenContent {
  const replaced: LiveElement[] = []
  const live: LiveElement[] = []
  let found = 0
  for (const element of content.live) {
    if (isSuperseded(element, writes)) found += 1
    else if (!isCounted(element, writes, client)) {
      live.push(element)
      continue
    }
    replaced.push(element)
  }
  const again = overwrittenBy(content, writes, found)
  const deletions: ItemId[] = again.length === 0 ? replaced.slice() : [...replaced, ...again]
  const clock = content.clocks.get(client) ?? 0
  const values: unknown[] = []
  let added: LiveElement[] = []
  const fields = new Set<string>()
  for (const write of writes) {
    if (fields.has(write.field)) {
      added = added.filter((own) => {
        if (!supersedes(write, own)) return true
        replaced.push(own)
        deletions.push(own)
        return false
      })
    }
    fields.add(write.field)
    const element = elementOf(write, content, client)
    if (element === undefined) continue
    const { field, value, lastModified, sequence, actor } = element
    added.push({
      field,
      value,
      lastModified,
      sequence,
      actor,
      client,
      clock: clock + values.length,
    })
    values.push([field, value, lastModified, sequence, actor])
  }
  for (const element of added) live.push(element)
  const update = encodeAppend(
    { client, clock, root: registerRoot(client), tail: content.tails.get(client), values },
    deletions,
  )
  const removed = removalsAfter(content.removed, writes)
  const overwritten =
    replaced.length === 0
      ? content.overwritten
      : { elements: () => replaced, before: content.overwritten }
  if (values.length === 0) return { update, content: { ...content, live, removed, overwritten } }
  const end = clock + values.length
  let before: EntityContent | undefined = content
  let { clocks, tails } = content
  // Put off until the next write to the entity: most entities are written to once in a while.
  const move = (): void => {
    if (before === undefined) return
    clocks = new Map(before.clocks).set(client, end)
    tails = new Map(before.tails).set(client, end - 1)
    before = undefined
  }
  return {
    update,
    content: {
      live,
      removed,
      overwritten,
      get clocks() {
        move()
        return clocks
      },
      get tails() {
        move()
        return tails
      },
      shared: content.shared,
    },
  }
}

/** What the writes overwrite although it was overwritten before. */
function overwrittenBy(
  { overwritten }: EntityContent,
  writes: readonly RegisterWrite[],
  found: number,
): readonly LiveElement[] {
  let missing = -found
  for (const write of writes) if (write.kind !== 'increment') missing += write.supersedes.length
  const elements: LiveElement[] = []
  for (let link = overwritten; link !== undefined && missing > 0; link = link.before) {
    for (const element of link.elements()) {
      if (!isSuperseded(element, writes)) continue
      elements.push(element)
      missing -= 1
    }
  }
  return elements
}

function isSuperseded(element: LiveElement, writes: readonly RegisterWrite[]): boolean {
  for (const write of writes) if (supersedes(write, element)) return true
  return false
}

/** Whether the element is what `client` has counted so far. */
function isCounted(
  { field }: LiveElement,
  writes: readonly RegisterWrite[],
  client: number,
): boolean {
  for (const write of writes)
    if (write.kind === 'increment' && field === counterKey(write.field, client)) return true
  return false
}

function supersedes(write: RegisterWrite, element: LiveElement): boolean {
  if (write.kind === 'increment' || write.field !== element.field) return false
  for (const stamp of write.supersedes) if (sameStamp(stamp, element)) return true
  return false
}

function elementOf(
  write: RegisterWrite,
  content: EntityContent,
  client: number,
): Element | undefined {
  if (write.kind === 'remove') return undefined
  const { lastModified, sequence, actor } = write
  if (write.kind === 'set') {
    return { field: write.field, value: write.value, lastModified, sequence, actor }
  }
  const field = counterKey(write.field, client)
  const own = content.live.find((element) => element.field === field)?.value
  const value = (typeof own === 'number' ? own : 0) + write.by
  return { field, value, lastModified, sequence, actor }
}

/** The register of a counter that `client` writes [L5]. */
export function counterKey(field: string, client: number): string {
  return `${field}:${client.toString(36)}`
}

/** The same document once `client` has written that many items into it that are no registers. */
export function skipItems(content: EntityContent, client: number, items: number): EntityContent {
  if (items === 0) return content
  const clock = (content.clocks.get(client) ?? 0) + items
  return { ...content, clocks: new Map(content.clocks).set(client, clock) }
}

/** What stands removed after further writes that may be rejected. */
export function removalsAfter(removed: Removals, writes: readonly RegisterWrite[]): Removals {
  let after = removed
  for (const write of writes) {
    if (write.kind === 'increment') continue
    const { kind, field, supersedes } = write
    const before = after.get(field) ?? []
    if (kind === 'set' && before.length === 0) continue
    const untouched = before.filter((stamp) => !supersedes.some((other) => sameStamp(other, stamp)))
    after = new Map(after).set(field, kind === 'set' ? untouched : [...untouched, ...supersedes])
  }
  return after
}
