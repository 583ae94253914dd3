import {
  DELETED_FIELD,
  EMPTY_CONTENT,
  ENTITY_ID,
  type EntityContent,
  type EntityView,
  isDeleted,
  nextLife,
  SCHEMA_FIELD,
  skipItems,
  viewOf,
  writeRegisters,
} from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import {
  type EntityKey,
  type EntityRef,
  joinEdit,
  keyOf,
  type MovedText,
  type PendingPart,
} from '../replica/index.js'
import { type Fields, migrate, type Schema } from '../schema/index.js'
import type { DocumentDraft } from './document-draft.js'
import { editable } from './editable.js'
import { createEntityDraft, type EntityDraft } from './entity-draft.js'
import { fill } from './field-values.js'
import { overwrite } from './overwrite.js'
import { asynchronous, deleted, missing, occupied, unfit } from './refusals.js'
import { type RecordedPart, revert } from './revert.js'

/** What a draft needs to know of the replica and of who writes. */
export interface DraftContext {
  readonly schema: Schema
  content(ref: EntityRef): EntityContent
  /** What `content` shows. */
  view(ref: EntityRef): EntityView
  /** The updates that make up the entity's document. */
  updates(ref: EntityRef): readonly Uint8Array[]
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
  /** Takes back what an operation did, where it still stands [L25]. Entities that are gone are left out. */
  revert(recorded: readonly RecordedPart[], moves: readonly MovedText[]): MovedText[]
  /** Brings an entity to what it was, also one that is deleted. @throws TidemarkError `entity-missing` */
  overwrite(ref: EntityRef, wanted: EntityView): void
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
  /** What the parts were made on, for taking them back. */
  readonly recorded: readonly RecordedPart[]
}

export function createDraft(context: DraftContext): OperationDraft {
  const drafts = new Map<EntityKey, EntityDraft>()

  function draftOf(ref: EntityRef): EntityDraft {
    const key = keyOf(ref)
    let draft = drafts.get(key)
    if (draft === undefined) {
      draft = createEntityDraft(ref, {
        fields: fieldsOf(context.schema, ref.collection),
        content: context.content(ref),
        view: context.view(ref),
        updates: () => context.updates(ref),
        client: context.client,
        generation: context.generation(ref),
        migrate: (view) => migrate(context.schema, ref.collection, ref.id, view),
      })
      drafts.set(key, draft)
    }
    return draft
  }

  /** An entity that is made: for the first time, or anew over its tombstone, in a life that knows nothing of the former one. */
  function draftOfNew(ref: EntityRef): EntityDraft {
    if (!context.exists(ref)) return draftOf(ref)
    const { client, schema } = context
    const draft = createEntityDraft(ref, {
      fields: fieldsOf(schema, ref.collection),
      content: EMPTY_CONTENT,
      view: viewOf(EMPTY_CONTENT),
      updates: () => [],
      client,
      generation: nextLife(context.generation(ref)),
      migrate: (view) => view,
    })
    drafts.set(keyOf(ref), draft)
    return draft
  }

  function existing(ref: EntityRef): EntityDraft {
    if (!drafts.has(keyOf(ref)) && !context.exists(ref)) throw missing(ref)
    return draftOf(ref)
  }

  return {
    insert(collection, input) {
      const id = input['id'] === undefined ? context.newId() : input['id']
      if (typeof id !== 'string' || !ENTITY_ID.test(id)) {
        throw unfit(
          [collection, 'id'],
          `is ${JSON.stringify(id)}. An id has 1 to 128 letters, digits or ". _ : @ -" and starts with a letter or digit.`,
        )
      }
      const ref = { collection, id }
      const known = this.peek(ref)
      const isTombstone = known !== undefined && isDeleted(known) && !drafts.has(keyOf(ref))
      if (known !== undefined && !isTombstone) throw occupied(ref, known)
      const draft = draftOfNew(ref)
      try {
        fill(draft, input)
        const { version } = context.schema
        if (version > 1) draft.assign(SCHEMA_FIELD, version)
      } catch (error) {
        drafts.delete(keyOf(ref))
        throw error
      }
      draft.kind = 'create'
      return id
    },
    update(ref, change) {
      const draft = existing(ref)
      if (isDeleted(draft.view())) throw deleted(ref)
      if (draft.kind === 'update') draft.migrate()
      draft.attempt(() => {
        const { proxy, revoke } = editable(draft)
        try {
          const result: unknown = change(proxy as never)
          if (result instanceof Promise) throw asynchronous(ref, result)
        } finally {
          // What is assigned later would be lost without a word.
          revoke()
        }
      })
    },
    remove(ref) {
      const draft = existing(ref)
      if (isDeleted(draft.view())) return
      if (isDeleted(draft.base)) draft.unassign(DELETED_FIELD)
      else draft.assign(DELETED_FIELD, context.now())
    },
    restore(ref) {
      const draft = existing(ref)
      if (!isDeleted(draft.view())) return
      if (isDeleted(draft.base)) draft.assign(DELETED_FIELD, null)
      else draft.unassign(DELETED_FIELD)
    },
    overwrite(ref, wanted) {
      const draft = existing(ref)
      draft.migrate()
      overwrite(draft, migrate(context.schema, ref.collection, ref.id, wanted))
    },
    revert(recorded, moves) {
      return recorded.flatMap((one) => {
        const { collection, id } = one.part
        if (!context.exists({ collection, id })) return []
        return revert(draftOf({ collection, id }), one, moves, context.now())
      })
    },
    peek(ref) {
      const draft = drafts.get(keyOf(ref))
      if (draft !== undefined) return draft.view()
      return context.exists(ref) ? context.view(ref) : undefined
    },
    finish() {
      const parts: PendingPart[] = []
      const contents = new Map<EntityKey, EntityContent>()
      const recorded: RecordedPart[] = []
      for (const draft of drafts.values()) {
        const finished = finishEntity(draft, context)
        draft.end()
        if (finished === undefined) continue
        contents.set(keyOf(draft.ref), finished.content)
        parts.push(finished.part)
        recorded.push({
          part: finished.part,
          before: draft.base,
          updates: finished.part.edit === null ? [] : context.updates(draft.ref),
        })
      }
      return { parts, entities: [...drafts.values()].map(({ ref }) => ref), contents, recorded }
    },
  }
}

/** The part that says what was changed; undefined when nothing was. */
function finishEntity(
  draft: EntityDraft,
  context: DraftContext,
): { readonly part: PendingPart; readonly content: EntityContent } | undefined {
  const { client, actor } = context
  const sequence = context.sequence(draft.ref) + 1
  const writes = draft.writes(() => ({ lastModified: context.tick(), sequence, actor }))
  const edits = draft.edits()
  const edit = edits?.edit() ?? null
  if (writes.length === 0 && edit === null && draft.kind === 'update') return undefined
  // The edit comes first: the registers that are written with it take the clocks after its items.
  const edited = edit === null ? draft.content : afterEdit(draft.content, client, edits)
  const { update, content } = writeRegisters(edited, client, writes)
  const part: PendingPart = {
    // Not spread: that takes longer than everything else about a part.
    collection: draft.ref.collection,
    id: draft.ref.id,
    kind: draft.kind,
    generation: draft.generation,
    sequence,
    lastModified: context.tick(),
    writes,
    edit,
    client,
    update: joinEdit(edit, update),
  }
  return { part, content }
}

function afterEdit(
  content: EntityContent,
  client: number,
  edits: DocumentDraft | undefined,
): EntityContent {
  const shared = edits?.shared()
  return { ...skipItems(content, client, edits?.items ?? 0), shared: () => shared }
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
