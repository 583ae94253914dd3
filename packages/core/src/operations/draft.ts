import {
  DELETED_FIELD,
  ENTITY_ID,
  type EntityContent,
  type EntityView,
  frozen,
  isDeleted,
  isRegisterKey,
  type RegisterWrite,
  type StorableValue,
  sameValue,
  viewOf,
  writeRegisters,
} from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import {
  type EntityKey,
  type EntityRef,
  FIRST_GENERATION,
  keyOf,
  type PendingPart,
} from '../replica/index.js'
import { type Field, type Fields, isSetField, parseValue, type Schema } from '../schema/index.js'

/** What a draft needs to know of the replica and of who writes. */
export interface DraftContext {
  readonly schema: Schema
  content(ref: EntityRef): EntityContent
  sequence(ref: EntityRef): number
  generation(ref: EntityRef): string
  exists(ref: EntityRef): boolean
  /** Milliseconds since the epoch. */
  now(): number
  /** The next hybrid-logical time. */
  tick(): number
  readonly actor: string
  readonly client: number
  newId(): string
}

/** Everything that one transaction changes, gathered; nothing is applied before `finish`. */
export interface OperationDraft {
  insert(collection: string, input: Readonly<Record<string, unknown>>): string
  update(ref: EntityRef, change: (draft: never) => void): void
  remove(ref: EntityRef): void
  restore(ref: EntityRef): void
  /** An entity with the changes so far. */
  peek(ref: EntityRef): EntityView | undefined
  finish(): DraftResult
}

export interface DraftResult {
  readonly parts: readonly PendingPart[]
  /** The entities that were named, also those about which nothing changed. */
  readonly entities: readonly EntityRef[]
  /** The documents after the change, by entity. */
  readonly contents: ReadonlyMap<EntityKey, EntityContent>
}

const REMOVED = Symbol('removed')

interface EntityDraft {
  readonly ref: EntityRef
  readonly fields: Fields
  readonly content: EntityContent
  readonly base: EntityView
  kind: 'create' | 'update'
  /** By register key, what it becomes. A later assignment replaces an earlier one: one write a register. */
  readonly assignments: Map<string, StorableValue | typeof REMOVED>
}

export function createDraft(context: DraftContext): OperationDraft {
  const drafts = new Map<EntityKey, EntityDraft>()

  function draftOf(ref: EntityRef): EntityDraft {
    const key = keyOf(ref)
    let draft = drafts.get(key)
    if (draft === undefined) {
      const content = context.content(ref)
      draft = {
        ref: { collection: ref.collection, id: ref.id },
        fields: fieldsOf(context.schema, ref.collection),
        content,
        base: viewOf(content),
        kind: 'update',
        assignments: new Map(),
      }
      drafts.set(key, draft)
    }
    return draft
  }

  function existing(ref: EntityRef): EntityDraft {
    if (!drafts.has(keyOf(ref)) && !context.exists(ref)) {
      throw new TidemarkError(
        'entity-missing',
        `${ref.collection} has no entity "${ref.id}" here. Insert it first, or wait until it has been synchronised.`,
        { path: [ref.collection, ref.id] },
      )
    }
    return draftOf(ref)
  }

  return {
    insert(collection, input) {
      const id = input['id'] === undefined ? context.newId() : input['id']
      if (typeof id !== 'string' || !ENTITY_ID.test(id)) {
        throw new TidemarkError(
          'value-invalid',
          `${collection}.id is ${JSON.stringify(id)}. An id has 1 to 128 letters, digits or ". _ : @ -" and starts with a letter or digit.`,
          { path: [collection, 'id'] },
        )
      }
      const ref = { collection, id }
      const known = this.peek(ref)
      if (known !== undefined) throw occupied(ref, known)
      const draft = draftOf(ref)
      try {
        fill(draft, input)
      } catch (error) {
        drafts.delete(keyOf(ref))
        throw error
      }
      draft.kind = 'create'
      return id
    },
    update(ref, change) {
      const draft = existing(ref)
      if (isDeleted(currentView(draft))) throw deleted(ref)
      const before = new Map(draft.assignments)
      const { proxy, revoke } = editable(draft)
      try {
        const result: unknown = change(proxy as never)
        if (result instanceof Promise) throw asynchronous(ref, result)
      } catch (error) {
        // Whoever catches it may go on with the transaction: half of the change must not be in it.
        draft.assignments.clear()
        for (const [key, value] of before) draft.assignments.set(key, value)
        throw error
      } finally {
        // What is assigned later would be lost without a word.
        revoke()
      }
    },
    remove(ref) {
      const draft = existing(ref)
      if (isDeleted(currentView(draft))) return
      if (isDeleted(draft.base)) draft.assignments.delete(DELETED_FIELD)
      else draft.assignments.set(DELETED_FIELD, context.now())
    },
    restore(ref) {
      const draft = existing(ref)
      if (!isDeleted(currentView(draft))) return
      if (isDeleted(draft.base)) draft.assignments.set(DELETED_FIELD, null)
      else draft.assignments.delete(DELETED_FIELD)
    },
    peek(ref) {
      const draft = drafts.get(keyOf(ref))
      if (draft !== undefined) return currentView(draft)
      return context.exists(ref) ? viewOf(context.content(ref)) : undefined
    },
    finish() {
      const parts: PendingPart[] = []
      const contents = new Map<EntityKey, EntityContent>()
      for (const draft of drafts.values()) {
        const sequence = context.sequence(draft.ref) + 1
        const writes = writesOf(draft, sequence, context)
        if (writes.length === 0 && draft.kind === 'update') continue
        const { update, content } = writeRegisters(draft.content, context.client, writes)
        contents.set(keyOf(draft.ref), content)
        parts.push({
          ...draft.ref,
          kind: draft.kind,
          generation: draft.kind === 'create' ? FIRST_GENERATION : context.generation(draft.ref),
          sequence,
          lastModified: context.tick(),
          writes,
          client: context.client,
          update,
        })
      }
      return { parts, entities: [...drafts.values()].map(({ ref }) => ref), contents }
    },
  }
}

function fieldsOf(schema: Schema, collection: string): Fields {
  const definition = schema.collections[collection]
  if (definition === undefined) {
    throw new TidemarkError(
      'schema-invalid',
      `The schema has no collection "${collection}". It has: ${Object.keys(schema.collections).join(', ')}.`,
    )
  }
  return definition.fields
}

/** Assigns every field of a new entity, after all of them have been checked. */
function fill(draft: EntityDraft, input: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(input)) {
    if (name !== 'id' && !Object.hasOwn(draft.fields, name)) throw unknownField(draft, name)
  }
  for (const [name, field] of Object.entries(draft.fields)) {
    const value = input[name]
    if (isSetField(field)) {
      for (const element of elementsOf(draft, name, value ?? [])) {
        draft.assignments.set(elementKey(draft, name, field, element), true)
      }
    } else {
      const parsed = parseValue(field, value, [draft.ref.collection, name])
      if (parsed !== undefined) draft.assignments.set(name, parsed)
    }
  }
}

/** A text can be iterated too, but nobody means a set of its letters. */
function elementsOf(draft: EntityDraft, name: string, value: unknown): Iterable<unknown> {
  if (typeof value === 'object' && value !== null && Symbol.iterator in value)
    return value as Iterable<unknown>
  const path = [draft.ref.collection, name]
  throw new TidemarkError(
    'value-invalid',
    `${path.join('.')} is a set and was given a ${typeof value}. Give a list of its elements.`,
    { path },
  )
}

function elementKey(
  draft: EntityDraft,
  name: string,
  field: Extract<Field, { kind: 'set' }>,
  element: unknown,
): string {
  const path = [draft.ref.collection, name]
  const key = `${name}:${String(parseValue(field.element, element, path))}`
  if (!isRegisterKey(key)) {
    throw new TidemarkError(
      'value-invalid',
      `${path.join('.')} has an element of more than 512 characters. Sets hold short strings such as tags or ids.`,
      { path },
    )
  }
  return key
}

/** The writes that bring an entity from what it is to what was assigned; none for what is so already. */
function writesOf(draft: EntityDraft, sequence: number, context: DraftContext): RegisterWrite[] {
  const writes: RegisterWrite[] = []
  for (const [field, value] of draft.assignments) {
    const live = draft.content.live.filter((element) => element.field === field)
    const supersedes = [...live, ...(draft.content.removed.get(field) ?? [])].map(
      ({ lastModified, actor }) => ({ lastModified, actor }),
    )
    if (value === REMOVED) {
      if (live.length > 0) writes.push({ kind: 'remove', field, supersedes })
      continue
    }
    const [only] = live
    // Writing the same value again is nothing, unless it settles a conflict.
    if (live.length === 1 && only !== undefined && sameValue(only.value, value)) continue
    if (live.length === 0 && value === undefined) continue
    writes.push({
      kind: 'set',
      field,
      value,
      lastModified: context.tick(),
      sequence,
      actor: context.actor,
      supersedes,
    })
  }
  return writes
}

function currentView(draft: EntityDraft): EntityView {
  if (draft.assignments.size === 0) return draft.base
  const values: Record<string, StorableValue> = { ...draft.base.values }
  for (const [key, value] of draft.assignments) {
    if (value === REMOVED) delete values[key]
    else values[key] = value
  }
  return { ...draft.base, values }
}

function currentValue(draft: EntityDraft, key: string): StorableValue {
  if (!draft.assignments.has(key)) return draft.base.values[key]
  const assigned = draft.assignments.get(key)
  return assigned === REMOVED ? undefined : assigned
}

/** The object that `update` hands out: reading gives the value so far, assigning checks and notes it. */
function editable(draft: EntityDraft): { readonly proxy: object; revoke(): void } {
  return Proxy.revocable(
    {},
    {
      get(_target, name) {
        if (name === 'id') return draft.ref.id
        if (typeof name !== 'string' || !Object.hasOwn(draft.fields, name)) return undefined
        const field = draft.fields[name]
        return field !== undefined && isSetField(field)
          ? editableSet(draft, name, field)
          : frozen(currentValue(draft, name))
      },
      set(_target, name, value) {
        const field = typeof name === 'string' ? draft.fields[name] : undefined
        if (typeof name !== 'string' || field === undefined || !Object.hasOwn(draft.fields, name)) {
          throw unknownField(draft, String(name))
        }
        if (isSetField(field)) {
          throw new TidemarkError(
            'value-invalid',
            `${draft.ref.collection}.${name} is a set. Change it with add() and delete(), so that others' changes to it stay.`,
            { path: [draft.ref.collection, name] },
          )
        }
        draft.assignments.set(name, parseValue(field, value, [draft.ref.collection, name]))
        return true
      },
      has: (_target, name) =>
        name === 'id' || (typeof name === 'string' && Object.hasOwn(draft.fields, name)),
      ownKeys: () => ['id', ...Object.keys(draft.fields)],
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
    },
  )
}

function editableSet(
  draft: EntityDraft,
  name: string,
  field: Extract<Field, { kind: 'set' }>,
): object {
  const elements = (): string[] => {
    const prefix = `${name}:`
    return Object.keys(currentView(draft).values)
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length))
      .sort()
  }
  /** As it is there; else as the schema would have it, which may convert what is added. */
  const keyOfKnown = (element: unknown): string => {
    const own = `${name}:${String(element)}`
    if (currentValue(draft, own) !== undefined) return own
    try {
      return elementKey(draft, name, field, element)
    } catch {
      return own
    }
  }
  return {
    get size() {
      return elements().length
    },
    has: (element: unknown) => currentValue(draft, keyOfKnown(element)) !== undefined,
    add(element: unknown) {
      draft.assignments.set(elementKey(draft, name, field, element), true)
    },
    delete(element: unknown) {
      draft.assignments.set(keyOfKnown(element), REMOVED)
    },
    [Symbol.iterator]: () => elements()[Symbol.iterator](),
  }
}

function unknownField(draft: EntityDraft, name: string): TidemarkError {
  return new TidemarkError(
    'value-invalid',
    `${draft.ref.collection} has no field "${name}". It has: ${Object.keys(draft.fields).join(', ')}.`,
    { path: [draft.ref.collection, name] },
  )
}

function asynchronous(ref: EntityRef, result: Promise<unknown>): TidemarkError {
  result.catch(() => undefined)
  return new TidemarkError(
    'value-invalid',
    `The change of ${ref.collection} "${ref.id}" is asynchronous, and a write can't wait. Await first, then update; nothing was changed.`,
    { path: [ref.collection, ref.id] },
  )
}

function occupied(ref: EntityRef, known: EntityView): TidemarkError {
  if (isDeleted(known)) return deleted(ref)
  return new TidemarkError(
    'entity-exists',
    `${ref.collection} has an entity "${ref.id}" already. Update it, or insert without an id to get a new one.`,
    { path: [ref.collection, ref.id] },
  )
}

function deleted(ref: EntityRef): TidemarkError {
  return new TidemarkError(
    'entity-deleted',
    `${ref.collection} "${ref.id}" is deleted. Bring it back with restore(), or use another id.`,
    { path: [ref.collection, ref.id] },
  )
}
