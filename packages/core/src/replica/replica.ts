import {
  decodeContent,
  EMPTY_CONTENT,
  type EntityContent,
  type EntityView,
  mergeUpdates,
  removalsAfter,
  viewOf,
} from '../entity/index.js'
import { currentLife } from './lives.js'
import { rebaseParts } from './rebase.js'
import {
  type ConfirmedEntity,
  type EntityKey,
  type EntityRef,
  isRolledBack,
  keyOf,
  type PendingOperation,
  type PendingPart,
  type StoredOperation,
} from './records.js'

/** An entity as this tab sees it: confirmed ⊕ pending. */
export interface EntityState extends EntityRef {
  readonly confirmed: ConfirmedEntity | undefined
  /** Operations on it that are part of what it shows, in order. */
  readonly pending: readonly PendingOperation[]
  /** Operations on it that were rejected and wait for a person. */
  readonly failed: readonly PendingOperation[]
  readonly view: EntityView
  readonly sequence: number
  readonly lastModified: number
}

interface MutableEntity extends EntityRef {
  confirmed: ConfirmedEntity | undefined
  pending: PendingOperation[]
  failed: PendingOperation[]
  view: EntityView
  sequence: number
  lastModified: number
}

/** The state of one space in memory. No I/O: whoever reads or writes the storage tells it what became of that. */
export interface Replica {
  collection(name: string): ReadonlyMap<string, EntityState>
  entity(ref: EntityRef): EntityState | undefined
  /** What a write to the entity builds on. */
  content(ref: EntityRef): EntityContent
  /** The updates that make up the entity's document. */
  updates(ref: EntityRef): readonly Uint8Array[]
  /** The outbox: saved operations in their order, then those that are still being saved; none that was rolled back. */
  operations(): readonly PendingOperation[]
  /** Confirmed entities of which the relay lacks something [L22]. */
  owed(): Iterable<ConfirmedEntity>
  /** All that is confirmed. */
  confirmed(): Iterable<ConfirmedEntity>
  /** How many of them wait, and how many are parked; without a walk through all of them. */
  counts(): OutboxCounts
  saved(): Iterable<StoredOperation>
  savedAt(order: number): StoredOperation | undefined
  /** Saved operations that are part of what the entity shows, in order. */
  savedOn(ref: EntityRef): readonly StoredOperation[]
  unsaved(): readonly PendingOperation[]
  operation(id: string): PendingOperation | undefined
  orderOf(id: string): number | undefined
  /** Applies an operation that was just made here; `contents` are its entities' documents after it. */
  stage(operation: PendingOperation, contents: ReadonlyMap<EntityKey, EntityContent>): void
  /** Puts another encoding of an operation that isn't saved yet in its place. */
  restage(operation: PendingOperation): void
  /** Takes over stored rows: new or changed entities and operations, and the orders of those that left the outbox. */
  absorb(rows: AbsorbedRows): void
  /** Drops an unsaved operation. */
  unstage(id: string): void
  /** Called with the keys of entities whose state changed. */
  subscribe(listener: (changed: ReadonlySet<EntityKey>) => void): () => void
}

export interface OutboxCounts {
  /** Entities that are owed to the relay. */
  readonly owed: number
  readonly waiting: number
  readonly failed: number
}

export interface AbsorbedRows {
  readonly entities: readonly ConfirmedEntity[]
  readonly operations: readonly StoredOperation[]
  readonly gone: readonly number[]
  /** Entities whose rows were removed. */
  readonly removed?: readonly EntityRef[]
}

/** A client id that nobody writes under: what is shown with it is never sent. */
const NOBODY = 0

const EMPTY_VIEW: EntityView = viewOf(EMPTY_CONTENT)

/** What nearly every entity has: one list for all of them. */
const NO_OPERATIONS: PendingOperation[] = []
Object.freeze(NO_OPERATIONS)

/** Whoever writes to an entity will write to it again; what was decoded of all others would only fill the memory. */
const KEPT_CONTENTS = 64

export function createReplica(): Replica {
  const collections = new Map<string, Map<string, MutableEntity>>()
  /** Saved operations by their order, kept ascending. */
  let saved = new Map<number, StoredOperation>()
  const unsaved = new Map<string, PendingOperation>()
  const orders = new Map<string, number>()
  /** How many of the saved ones are parked; unsaved ones never are. */
  let failed = 0
  let rolledBack = 0
  /** The decoded documents of entities with pending operations, those that were written to last at the end. */
  const contents = new Map<MutableEntity, EntityContent>()
  const owed = new Map<EntityKey, ConfirmedEntity>()
  const listeners = new Set<(changed: ReadonlySet<EntityKey>) => void>()
  let lastOrder = Number.NEGATIVE_INFINITY

  function entitiesOf(name: string): Map<string, MutableEntity> {
    let entities = collections.get(name)
    if (entities === undefined) {
      entities = new Map()
      collections.set(name, entities)
    }
    return entities
  }

  function entityOf(ref: EntityRef): MutableEntity {
    const entities = entitiesOf(ref.collection)
    let entity = entities.get(ref.id)
    if (entity === undefined) {
      entity = {
        collection: ref.collection,
        id: ref.id,
        confirmed: undefined,
        pending: NO_OPERATIONS,
        failed: NO_OPERATIONS,
        view: EMPTY_VIEW,
        sequence: 0,
        lastModified: 0,
      }
      entities.set(ref.id, entity)
    }
    return entity
  }

  /** Recomputes what an entity shows from its confirmed snapshot and its pending operations. */
  function recompute(entity: MutableEntity): void {
    const { confirmed, pending } = entity
    if (confirmed === undefined && pending.length === 0 && entity.failed.length === 0) {
      entitiesOf(entity.collection).delete(entity.id)
    }
    contents.delete(entity)
    if (pending.length === 0) entity.view = confirmed?.view ?? EMPTY_VIEW
    else entity.view = viewOf(keepContent(entity, contentOf(entity)))
    setVersion(entity)
  }

  function keepContent(entity: MutableEntity, content: EntityContent): EntityContent {
    contents.delete(entity)
    contents.set(entity, content)
    if (contents.size > KEPT_CONTENTS) {
      const [oldest] = contents.keys()
      if (oldest !== undefined) contents.delete(oldest)
    }
    return content
  }

  function setVersion(entity: MutableEntity): void {
    entity.sequence = Math.max(entity.confirmed?.sequence ?? 0, entity.view.sequence)
    entity.lastModified = Math.max(entity.confirmed?.lastModified ?? 0, entity.view.lastModified)
    for (const part of partsOn(entity)) {
      entity.sequence = Math.max(entity.sequence, part.sequence)
      entity.lastModified = Math.max(entity.lastModified, part.lastModified)
    }
  }

  function emit(changed: ReadonlySet<EntityKey>): void {
    if (changed.size > 0) for (const listener of [...listeners]) listener(changed)
  }

  /** Marks the entities of an operation as touched, so that `absorb` recomputes each of them once. */
  function touch(touched: Map<EntityKey, MutableEntity>, parts: readonly EntityRef[]): void {
    for (const part of parts) touched.set(keyOf(part), entityOf(part))
  }

  function relink(entity: MutableEntity): void {
    if (entity.pending.length + entity.failed.length === 0) return
    const onEntity = (operation: PendingOperation): boolean =>
      operation.parts.some((part) => part.id === entity.id && part.collection === entity.collection)
    // Candidates are few: what the entity had, and what was just absorbed (linked by `link`).
    const all = [...new Set([...entity.pending, ...entity.failed].map((operation) => operation.id))]
      .map((id) => currentOf(id))
      .filter((operation) => operation !== undefined)
      .filter(onEntity)
      .sort(byOrder)
    entity.pending = all.filter((operation) => operation.failure === null)
    entity.failed = all.filter((operation) => operation.failure !== null)
  }

  function currentOf(id: string): PendingOperation | undefined {
    const order = orders.get(id)
    return order === undefined ? unsaved.get(id) : saved.get(order)
  }

  function putSaved(operation: StoredOperation): void {
    // Not `dropSaved`: what is replaced keeps its place.
    count(saved.get(operation.order), -1)
    count(operation, 1)
    saved.set(operation.order, operation)
  }

  function dropSaved(order: number): void {
    count(saved.get(order), -1)
    saved.delete(order)
  }

  function count(operation: PendingOperation | undefined, by: 1 | -1): void {
    if (operation === undefined || operation.failure === null) return
    if (isRolledBack(operation)) rolledBack += by
    else failed += by
  }

  /** Saved operations by their order; unsaved ones after them, as they were made. */
  function byOrder(a: PendingOperation, b: PendingOperation): number {
    const first = orders.get(a.id) ?? Number.POSITIVE_INFINITY
    const second = orders.get(b.id) ?? Number.POSITIVE_INFINITY
    return first === second ? 0 : first - second
  }

  function swap(entity: MutableEntity, operation: PendingOperation): void {
    const index = entity.pending.findIndex((other) => other.id === operation.id)
    if (index >= 0) entity.pending[index] = operation
  }

  function link(operation: PendingOperation): void {
    for (const part of operation.parts) {
      const entity = entityOf(part)
      const name = operation.failure === null ? 'pending' : 'failed'
      if (!entity[name].some((other) => other.id === operation.id))
        entity[name] = [...entity[name], operation]
    }
  }

  function find({ collection, id }: EntityRef): MutableEntity | undefined {
    return collections.get(collection)?.get(id)
  }

  return {
    collection: (name) => entitiesOf(name),
    entity: find,
    content(ref) {
      const entity = find(ref)
      if (entity === undefined) return EMPTY_CONTENT
      return contents.get(entity) ?? contentOf(entity)
    },
    updates(ref) {
      const entity = find(ref)
      return entity === undefined ? [] : updatesOf(entity)
    },
    operations: () =>
      [...saved.values(), ...unsaved.values()].filter((operation) => !isRolledBack(operation)),
    owed: () => owed.values(),
    *confirmed() {
      for (const entities of collections.values()) {
        for (const { confirmed } of entities.values()) if (confirmed !== undefined) yield confirmed
      }
    },
    counts: () => ({
      owed: owed.size,
      waiting: saved.size + unsaved.size - failed - rolledBack,
      failed,
    }),
    saved: () => saved.values(),
    savedAt: (order) => saved.get(order),
    savedOn(ref) {
      const pending = find(ref)?.pending ?? []
      return pending
        .map((operation) => saved.get(orders.get(operation.id) ?? Number.NaN))
        .filter((operation) => operation !== undefined)
    },
    unsaved: () => [...unsaved.values()],
    operation: currentOf,
    orderOf: (id) => orders.get(id),
    stage(operation, made) {
      unsaved.set(operation.id, operation)
      const changed = new Set<EntityKey>()
      for (const part of operation.parts) {
        const entity = entityOf(part)
        const key = keyOf(part)
        if (entity.pending.length === 0) entity.pending = [operation]
        else entity.pending.push(operation)
        entity.view = viewOf(keepContent(entity, made.get(key) ?? contentOf(entity)))
        setVersion(entity)
        changed.add(key)
      }
      emit(changed)
    },
    restage(operation) {
      if (!unsaved.has(operation.id)) return
      unsaved.set(operation.id, operation)
      const touched = new Map<EntityKey, MutableEntity>()
      touch(touched, operation.parts)
      for (const entity of touched.values()) {
        relink(entity)
        recompute(entity)
      }
      emit(new Set(touched.keys()))
    },
    absorb({ entities, operations, gone, removed = [] }) {
      const touched = new Map<EntityKey, MutableEntity>()
      for (const ref of removed) {
        const entity = collections.get(ref.collection)?.get(ref.id)
        if (entity === undefined) continue
        entity.confirmed = undefined
        owed.delete(keyOf(ref))
        touched.set(keyOf(ref), entity)
      }
      for (const row of entities) {
        const entity = entityOf(row)
        const key = keyOf(row)
        entity.confirmed = row
        if (row.owed === undefined) owed.delete(key)
        else owed.set(key, row)
        touched.set(key, entity)
      }
      for (const order of gone) {
        const operation = saved.get(order)
        if (operation === undefined) continue
        dropSaved(order)
        orders.delete(operation.id)
        touch(touched, operation.parts)
      }
      let sorted = true
      for (const operation of operations) {
        const previous = currentOf(operation.id)
        const oldOrder = orders.get(operation.id)
        if (oldOrder !== undefined && oldOrder !== operation.order) dropSaved(oldOrder)
        unsaved.delete(operation.id)
        if (!saved.has(operation.order)) {
          sorted &&= operation.order > lastOrder
          lastOrder = Math.max(lastOrder, operation.order)
        }
        putSaved(operation)
        orders.set(operation.id, operation.order)
        if (previous?.parts === operation.parts && previous.failure === operation.failure) {
          // It was saved as it is: nothing that an entity shows has changed.
          for (const part of operation.parts) swap(entityOf(part), operation)
          continue
        }
        if (previous !== undefined) touch(touched, previous.parts)
        link(operation)
        touch(touched, operation.parts)
      }
      if (!sorted) saved = new Map([...saved].sort(([a], [b]) => a - b))
      for (const entity of touched.values()) {
        relink(entity)
        recompute(entity)
      }
      emit(new Set(touched.keys()))
    },
    unstage(id) {
      const operation = unsaved.get(id)
      if (operation === undefined) return
      unsaved.delete(id)
      const touched = new Map<EntityKey, MutableEntity>()
      touch(touched, operation.parts)
      for (const entity of touched.values()) {
        relink(entity)
        recompute(entity)
      }
      emit(new Set(touched.keys()))
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function updatesOf(entity: MutableEntity): Uint8Array[] {
  const { confirmed, parts } = currentLife(entity.confirmed, partsOn(entity))
  const updates = confirmed === undefined ? [] : [confirmed.bytes]
  const isSaidOn = parts.every(({ generation }) => generation === confirmed?.generation)
  // They have still to be said again on the new document; until then they are shown as if they had been [L16].
  const shown = confirmed === undefined || isSaidOn ? parts : rebaseParts(confirmed, parts, NOBODY)
  for (const { update } of shown) updates.push(update)
  return updates
}

function contentOf(entity: MutableEntity): EntityContent {
  if (entity.pending.length === 0) {
    const { confirmed } = entity
    return confirmed === undefined ? EMPTY_CONTENT : decodeContent(confirmed.bytes, confirmed.view)
  }
  const updates = updatesOf(entity)
  if (updates.length === 0) return EMPTY_CONTENT
  let { removed } = EMPTY_CONTENT
  for (const { writes } of currentLife(entity.confirmed, partsOn(entity)).parts)
    removed = removalsAfter(removed, writes)
  return { ...decodeContent(mergeUpdates(updates)), removed }
}

/** What pending operations do to one entity, in order. */
export function partsOn({
  pending,
  collection,
  id,
}: Pick<EntityState, 'pending' | 'collection' | 'id'>): PendingPart[] {
  const found: PendingPart[] = []
  for (const { parts } of pending)
    for (const part of parts) if (part.id === id && part.collection === collection) found.push(part)
  return found
}
