import { type Stamp, sameStamp } from './stamp.js'
import type { StorableValue } from './value.js'
import { decodeRuns, encodeAppend, type ItemId } from './yjs.js'

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
}

export type Removals = ReadonlyMap<string, readonly Stamp[]>

const NOTHING_REMOVED: Removals = new Map()

export const EMPTY_CONTENT: EntityContent = {
  live: [],
  clocks: new Map(),
  tails: new Map(),
  removed: NOTHING_REMOVED,
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
  | { readonly kind: 'remove'; readonly field: string; readonly supersedes: readonly Stamp[] }

export function decodeContent(update: Uint8Array): EntityContent {
  const { clocks, runs, tails, isDeleted } = decodeRuns(update, REGISTER_ROOT)
  const live: LiveElement[] = []
  for (const { client, clock, values } of runs) {
    for (const [offset, value] of values.entries()) {
      if (isDeleted(client, clock + offset)) continue
      const element = toElement(value)
      if (element !== undefined) live.push({ ...element, item: { client, clock: clock + offset } })
    }
  }
  return { live, clocks, tails, removed: NOTHING_REMOVED }
}

/** Undefined for what is not an element: a document that others wrote into may hold anything. */
export function toElement(value: unknown): Element | undefined {
  if (!Array.isArray(value) || value.length !== 5) return undefined
  const [field, content, lastModified, sequence, actor] = value as unknown[]
  if (typeof field !== 'string' || typeof actor !== 'string') return undefined
  if (!Number.isSafeInteger(lastModified) || !Number.isSafeInteger(sequence)) return undefined
  return {
    field,
    value: content as StorableValue,
    lastModified: lastModified as number,
    sequence: sequence as number,
    actor,
  }
}

export interface WrittenContent {
  /** The bytes that say it, Yjs update format v1. */
  readonly update: Uint8Array
  readonly content: EntityContent
}

/**
 * Writes under client id `client`: deletes exactly the live elements whose stamps the writes supersede [L2] and
 * appends one element for each `set`.
 */
export function writeRegisters(
  content: EntityContent,
  client: number,
  writes: readonly RegisterWrite[],
): WrittenContent {
  const deletions: ItemId[] = []
  let live = content.live.filter((element) => {
    const superseded = writes.some(
      (write) =>
        write.field === element.field &&
        write.supersedes.some((stamp) => sameStamp(stamp, element)),
    )
    if (superseded) deletions.push(element.item)
    return !superseded
  })
  const clock = content.clocks.get(client) ?? 0
  const values: unknown[] = []
  const added: LiveElement[] = []
  for (const write of writes) {
    if (write.kind === 'remove') continue
    const { field, value, lastModified, sequence, actor } = write
    added.push({
      field,
      value,
      lastModified,
      sequence,
      actor,
      item: { client, clock: clock + values.length },
    })
    values.push([field, value, lastModified, sequence, actor])
  }
  live = live.concat(added)
  const update = encodeAppend(
    { client, clock, root: registerRoot(client), tail: content.tails.get(client), values },
    deletions,
  )
  const removed = removalsAfter(content.removed, writes)
  if (values.length === 0) return { update, content: { ...content, live, removed } }
  const end = clock + values.length
  return {
    update,
    content: {
      live,
      removed,
      clocks: new Map(content.clocks).set(client, end),
      tails: new Map(content.tails).set(client, end - 1),
    },
  }
}

/** What stands removed after further writes that may be rejected. */
export function removalsAfter(removed: Removals, writes: readonly RegisterWrite[]): Removals {
  let after = removed
  for (const { kind, field, supersedes } of writes) {
    const before = after.get(field) ?? []
    if (kind === 'set' && before.length === 0) continue
    const untouched = before.filter((stamp) => !supersedes.some((other) => sameStamp(other, stamp)))
    after = new Map(after).set(field, kind === 'set' ? untouched : [...untouched, ...supersedes])
  }
  return after
}
