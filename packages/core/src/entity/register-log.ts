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

export interface LiveElement extends Element {
  readonly item: ItemId
}

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

export function decodeContent(update: Uint8Array): EntityContent {
  const { clocks, runs, tails, shared, isDeleted } = decodeRuns(update, registerRoot)
  const live: LiveElement[] = []
  let hasOverwritten = false
  for (const { client, clock, values } of runs) {
    let at = clock
    for (const value of values) {
      const item = { client, clock: at }
      at += 1
      if (isDeleted(client, item.clock)) hasOverwritten = true
      else addElement(live, value, item)
    }
  }
  const overwritten = (): readonly LiveElement[] => {
    const elements: LiveElement[] = []
    for (const { client, clock, values } of runs) {
      for (const [offset, value] of values.entries()) {
        const item = { client, clock: clock + offset }
        if (isDeleted(item.client, item.clock)) addElement(elements, value, item)
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
    shared: shared ? once(() => sharedOf(update)) : NOTHING_SHARED,
  }
}

/** Leaves out what is not an element. */
function addElement(elements: LiveElement[], value: unknown, item: ItemId): void {
  const element = toElement(value)
  if (element === undefined) return
  // Field by field: a spread costs several times as much, and this runs for every element of every entity.
  const { field, value: content, lastModified, sequence, actor } = element
  elements.push({ field, value: content, lastModified, sequence, actor, item })
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

/** Undefined for what is not an element: a document that others wrote into may hold anything. */
export function toElement(value: unknown): Element | undefined {
  if (!Array.isArray(value) || value.length !== 5) return undefined
  const elements: readonly unknown[] = value
  // By index: iterating takes longer than all the rest.
  const field = elements[0]
  const lastModified = elements[2]
  const sequence = elements[3]
  const actor = elements[4]
  if (typeof field !== 'string' || typeof actor !== 'string') return undefined
  if (!Number.isSafeInteger(lastModified) || !Number.isSafeInteger(sequence)) return undefined
  return {
    field,
    value: elements[1] as StorableValue,
    lastModified: lastModified as number,
    sequence: sequence as number,
    actor,
  }
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
  let found = 0
  let live = content.live.filter((element) => {
    const superseded = writes.some((write) => supersedes(write, element))
    if (superseded) found += 1
    else if (!writes.some((write) => counts(write, element, client))) return true
    replaced.push(element)
    return false
  })
  const again = overwrittenBy(content, writes, found)
  const deletions = [...replaced, ...again].map(({ item }) => item)
  const clock = content.clocks.get(client) ?? 0
  const values: unknown[] = []
  let added: LiveElement[] = []
  const fields = new Set<string>()
  for (const write of writes) {
    if (fields.has(write.field)) {
      added = added.filter((own) => {
        if (!supersedes(write, own)) return true
        replaced.push(own)
        deletions.push(own.item)
        return false
      })
    }
    fields.add(write.field)
    const element = elementOf(write, content, client)
    if (element === undefined) continue
    const { field, value, lastModified, sequence, actor } = element
    const item = { client, clock: clock + values.length }
    added.push({ field, value, lastModified, sequence, actor, item })
    values.push([field, value, lastModified, sequence, actor])
  }
  live = live.concat(added)
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
  return {
    update,
    content: {
      live,
      removed,
      overwritten,
      clocks: new Map(content.clocks).set(client, end),
      tails: new Map(content.tails).set(client, end - 1),
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
      if (!writes.some((write) => supersedes(write, element))) continue
      elements.push(element)
      missing -= 1
    }
  }
  return elements
}

/** Whether the element is what `client` has counted so far. */
function counts(write: RegisterWrite, element: LiveElement, client: number): boolean {
  return write.kind === 'increment' && element.field === counterKey(write.field, client)
}

function supersedes(write: RegisterWrite, element: LiveElement): boolean {
  return (
    write.kind !== 'increment' &&
    write.field === element.field &&
    write.supersedes.some((stamp) => sameStamp(stamp, element))
  )
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
