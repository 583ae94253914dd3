import {
  counterKey,
  DERIVED_SEQUENCE,
  type EntityContent,
  type EntityView,
  type RegisterWrite,
  SCHEMA_FIELD,
  type StorableValue,
  sameValue,
  writeRegisters,
} from '../entity/index.js'
import type { EntityRef } from '../replica/index.js'
import type { Fields } from '../schema/index.js'
import { createDocumentDraft, type DocumentDraft } from './document-draft.js'

/** Stands for a register that is taken away. */
export const REMOVED: unique symbol = Symbol('removed')

export interface EntityDraftContext {
  readonly fields: Fields
  readonly content: EntityContent
  /** What `content` shows. */
  readonly view: EntityView
  /** The updates that make up the entity's document. */
  updates(): readonly Uint8Array[]
  readonly client: number
  readonly generation: string
  /** Brings the entity to the schema's version. @throws TidemarkError `migration-failed` */
  migrate(view: EntityView): EntityView
}

/** What a transaction has assigned to one entity so far. */
export interface EntityDraft {
  readonly ref: EntityRef
  readonly fields: Fields
  readonly content: EntityContent
  /** The entity before the transaction. */
  readonly base: EntityView
  kind: 'create' | 'update'
  /** The life of the document that is written to. */
  readonly generation: string
  /** From here on it is an entity of the schema's version. The first change writes that down with itself. */
  migrate(): void
  /** A later assignment of a register replaces an earlier one: one write a register. */
  assign(key: string, value: StorableValue | typeof REMOVED): void
  unassign(key: string): void
  increment(field: string, by: number): void
  /** What a register holds now. */
  value(key: string): StorableValue
  /** The entity as it is now. */
  view(): EntityView
  /** The document that holds text, lists and XML; opened when first asked for. */
  document(): DocumentDraft
  /** The edits of the document, if there are any. */
  edits(): DocumentDraft | undefined
  /** Runs `change`; what it did up to an error is taken back. */
  attempt(change: () => void): void
  /** The writes that bring the registers from what they are to what was assigned; none for what is so already. */
  writes(stampOf: () => WriteStamp): RegisterWrite[]
  end(): void
}

/** Who writes when, for each write anew. */
export interface WriteStamp {
  readonly lastModified: number
  readonly sequence: number
  readonly actor: string
}

export function createEntityDraft(
  { collection, id }: EntityRef,
  { fields, content, view: stored, updates, client, generation, migrate }: EntityDraftContext,
): EntityDraft {
  let base = stored
  let assignments = new Map<string, StorableValue | typeof REMOVED>()
  let increments = new Map<string, number>()
  let document: DocumentDraft | undefined

  function value(key: string): StorableValue {
    if (!assignments.has(key)) return base.values[key]
    const assigned = assignments.get(key)
    return assigned === REMOVED ? undefined : assigned
  }

  function view(): EntityView {
    if (assignments.size === 0 && increments.size === 0 && document === undefined) return base
    const values: Record<string, StorableValue> = { ...base.values }
    for (const [key, assigned] of assignments) {
      if (assigned === REMOVED) delete values[key]
      else values[key] = assigned
    }
    for (const [field, by] of increments) {
      const key = counterKey(field, client)
      values[key] = Number(values[key] ?? 0) + by
    }
    return { ...base, values, shared: document === undefined ? base.shared : document.shared() }
  }

  /** Whether the entity shows anything else than before the transaction. */
  function isChanged(): boolean {
    return (
      [...increments.values()].some((by) => by !== 0) ||
      [...assignments].some(
        ([key, assigned]) =>
          base.conflicts?.[key] !== undefined ||
          !sameValue(assigned === REMOVED ? undefined : assigned, base.values[key]),
      )
    )
  }

  return {
    ref: { collection, id },
    fields,
    content,
    base: stored,
    kind: 'update',
    generation,
    migrate() {
      base = migrate(base)
    },
    assign: (key, assigned) => void assignments.set(key, assigned),
    unassign: (key) => void assignments.delete(key),
    increment: (field, by) => void increments.set(field, (increments.get(field) ?? 0) + by),
    value,
    view,
    document() {
      document ??= createDocumentDraft(updates(), client)
      return document
    },
    edits: () => document,
    attempt(change) {
      const before = { assignments: [...assignments], increments: [...increments] }
      const mark = document?.mark ?? 0
      try {
        change()
      } catch (error) {
        // Whoever catches it may go on with the transaction: half of the change must not be in it.
        assignments = new Map(before.assignments)
        increments = new Map(before.increments)
        document?.rewind(mark)
        throw error
      }
    },
    writes(stampOf) {
      const writes: RegisterWrite[] = []
      let before = content
      if (base !== stored) {
        if (!isChanged()) return writes
        // The migration comes first and ends with the version: whoever takes the rest back finds it by that.
        writes.push(...migrationWrites(content, stored, base, stampOf))
        before = writeRegisters(content, client, writes).content
      }
      for (const [field, assigned] of assignments) {
        const write = writeOf(before, field, assigned, stampOf)
        if (write !== undefined) writes.push(write)
      }
      for (const [field, by] of increments)
        if (by !== 0) writes.push({ kind: 'increment', field, by, ...stampOf() })
      return writes
    },
    end: () => document?.end(),
  }
}

/**
 * What a migration makes of the registers. A value that stood in conflict is replaced, its
 * rivals stay: which of them is meant is for people to say [L3].
 */
function migrationWrites(
  { live, removed }: EntityContent,
  stored: EntityView,
  migrated: EntityView,
  stampOf: () => WriteStamp,
): RegisterWrite[] {
  const keys = new Set([...Object.keys(stored.values), ...Object.keys(migrated.values)])
  keys.delete(SCHEMA_FIELD)
  const writes: RegisterWrite[] = []
  for (const field of [...keys, SCHEMA_FIELD]) {
    const before = stored.values[field]
    const value = migrated.values[field]
    if (sameValue(before, value)) continue
    const own = live.filter((element) => element.field === field)
    const rivals = stored.conflicts?.[field]
      ? own.filter((element) => !sameValue(element.value, before))
      : []
    const isDerived =
      field !== SCHEMA_FIELD && rivals.every(({ sequence }) => sequence === DERIVED_SEQUENCE)
    const write = writeOf(
      { live: own.filter((element) => !rivals.includes(element)), removed },
      field,
      value === undefined ? REMOVED : value,
      () => ({ ...stampOf(), ...(isDerived && { sequence: DERIVED_SEQUENCE }) }),
    )
    if (write !== undefined) writes.push(write)
  }
  return writes
}

function writeOf(
  content: Pick<EntityContent, 'live' | 'removed'>,
  field: string,
  value: StorableValue | typeof REMOVED,
  stampOf: () => WriteStamp,
): RegisterWrite | undefined {
  const live = content.live.filter((element) => element.field === field)
  const supersedes = [...live, ...(content.removed.get(field) ?? [])].map(
    ({ lastModified, actor }) => ({ lastModified, actor }),
  )
  if (value === REMOVED) {
    return live.length > 0 ? { kind: 'remove', field, supersedes } : undefined
  }
  const [only] = live
  // Writing the same value again is nothing, unless it settles a conflict.
  if (live.length === 1 && only !== undefined && sameValue(only.value, value)) return undefined
  if (live.length === 0 && value === undefined) return undefined
  const { lastModified, sequence, actor } = stampOf()
  return { kind: 'set', field, value, supersedes, lastModified, sequence, actor }
}
