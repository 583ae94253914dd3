import type * as Y from 'yjs'
import {
  applyUpdates,
  clockOf,
  containsUpdate,
  type EntityContent,
  isFieldName,
  mergeUpdates,
  openDocument,
  readShared,
  skipItems,
} from '../entity/index.js'
import type { Cancel, Clock } from '../platform/index.js'
import { sameBytes } from '../protocol/index.js'
import {
  type EntityKey,
  type EntityRef,
  keyOf,
  type PendingPart,
  type Replica,
} from '../replica/index.js'

/** What falls into one window is one operation: a keystroke costs neither a row nor a frame of its own. */
const TYPING_WINDOW_MS = 250

/** The document of one entity while editors are bound to it. */
export interface LiveDocument {
  /** Another one after each reset. */
  readonly doc: Y.Doc
  /** Calls `listener` with the new document each time a rollback or a rebase put it in the place of the old one. */
  onReset(listener: (doc: Y.Doc) => void): () => void
  /** Makes an operation of what was typed and isn't one yet. */
  flush(): void
  /** Flushes. The document lives on while others have it open. */
  close(): void
}

/** The open documents of a space: what is typed into them becomes operations, what others write appears in them. */
export interface LiveDocuments {
  open(ref: EntityRef): LiveDocument
  /** Makes operations of everything that was typed. */
  flush(): void
  /** Whether something was typed that is no operation yet. */
  isDirty(key: EntityKey): boolean
  /** How many documents hold such. */
  readonly dirty: number
  close(): void
}

export interface LiveDocumentsHost {
  readonly replica: Replica
  readonly clock: Clock
  /** The Yjs client id that this tab writes under. */
  client(): number
  /** The life of the entity's document that it is in now. */
  generation(ref: EntityRef): string
  /** Makes an operation of an edit; `content` is the document after it, where that is known. */
  commit(ref: EntityRef, edit: TypedEdit, content: EntityContent | undefined): void
  /** `isDirty` changed. */
  changed(key: EntityKey): void
}

/** What was typed into a document. */
export interface TypedEdit {
  readonly update: Uint8Array
  readonly client: number
  readonly generation: string
}

interface Entry {
  readonly ref: EntityRef
  doc: Y.Doc
  client: number
  generation: string
  users: number
  readonly listeners: Set<(doc: Y.Doc) => void>
  /** What was typed since the last operation. */
  edits: Uint8Array[]
  cancelWindow: Cancel
  /** The confirmed snapshot and the pending parts that are in the document. */
  confirmed: Uint8Array | undefined
  applied: Map<string, Uint8Array>
}

/** The origin of what comes out of the replica, which is not to go back into it. */
const REPLICA = Symbol('replica')

export function createLiveDocuments(host: LiveDocumentsHost): LiveDocuments {
  const { replica, clock } = host
  const entries = new Map<EntityKey, Entry>()
  const unsubscribe = replica.subscribe((changed) => {
    if (entries.size === 0) return
    for (const key of changed) {
      const entry = entries.get(key)
      if (entry !== undefined) follow(entry)
    }
  })

  function openEntry(ref: EntityRef): Entry {
    const entry: Entry = {
      ref: { collection: ref.collection, id: ref.id },
      ...load(ref),
      users: 0,
      listeners: new Set(),
      edits: [],
      cancelWindow: () => undefined,
    }
    listen(entry)
    return entry
  }

  function load(
    ref: EntityRef,
  ): Pick<Entry, 'doc' | 'client' | 'generation' | 'confirmed' | 'applied'> {
    const client = host.client()
    return {
      doc: openDocument(replica.updates(ref), client),
      client,
      generation: host.generation(ref),
      confirmed: replica.entity(ref)?.confirmed?.bytes,
      applied: new Map(pendingOn(ref).map(({ id, part }) => [id, part.update])),
    }
  }

  function pendingOn(ref: EntityRef): { readonly id: string; readonly part: PendingPart }[] {
    const key = keyOf(ref)
    return (replica.entity(ref)?.pending ?? []).flatMap(({ id, parts }) =>
      parts.filter((part) => keyOf(part) === key).map((part) => ({ id, part })),
    )
  }

  /** Gathers what editors do to the document. */
  function listen(entry: Entry): void {
    entry.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === REPLICA) return
      entry.edits.push(update)
      if (entry.edits.length > 1) return
      entry.cancelWindow = clock.schedule(() => flush(entry), TYPING_WINDOW_MS)
      host.changed(keyOf(entry.ref))
    })
  }

  function flush(entry: Entry): void {
    entry.cancelWindow()
    if (entry.edits.length === 0) return
    const update = mergeUpdates(entry.edits)
    entry.edits = []
    const { doc, client, generation, ref } = entry
    const before = replica.content(ref)
    const items = clockOf(doc, client) - (before.clocks.get(client) ?? 0)
    const shared = readShared(doc, isFieldName)
    const content = { ...skipItems(before, client, items), shared: () => shared }
    host.commit(ref, { update, client, generation }, content)
  }

  /** Brings the document up to date with the replica; starts anew where something that it holds no longer counts. */
  function follow(entry: Entry): void {
    const { ref } = entry
    if (host.generation(ref) !== entry.generation) {
      leave(entry)
      return
    }
    const confirmed = replica.entity(ref)?.confirmed?.bytes
    const pending = pendingOn(ref)
    if (!stillHolds(entry, confirmed, pending)) {
      reset(entry)
      return
    }
    const updates: Uint8Array[] = []
    if (confirmed !== undefined && confirmed !== entry.confirmed) updates.push(confirmed)
    for (const { id, part } of pending) {
      // What was just typed here is in it already; Yjs leaves that alone.
      if (entry.applied.get(id) !== part.update) updates.push(part.update)
    }
    entry.confirmed = confirmed
    entry.applied = new Map(pending.map(({ id, part }) => [id, part.update]))
    entry.client = host.client()
    if (updates.length > 0) applyUpdates(entry.doc, updates, entry.client, REPLICA)
    else entry.doc.clientID = entry.client
  }

  /**
   * The entity has another document now [L16] [L23]. What was typed into the former one is said again on a renewed one; of a
   * life that is over it is refused and kept for a person.
   */
  function leave(entry: Entry): void {
    const { ref, client, generation, edits } = entry
    const key = keyOf(ref)
    // Not to be followed while what was typed becomes an operation.
    entries.delete(key)
    if (edits.length > 0)
      host.commit(ref, { update: mergeUpdates(edits), client, generation }, undefined)
    entries.set(key, entry)
    reset(entry)
  }

  /** Whether everything that the document took from pending operations is pending or confirmed as it was. */
  function stillHolds(
    { applied }: Entry,
    confirmed: Uint8Array | undefined,
    pending: readonly { readonly id: string; readonly part: PendingPart }[],
  ): boolean {
    const now = new Map(pending.map(({ id, part }) => [id, part.update]))
    for (const [id, update] of applied) {
      const still = now.get(id)
      if (still === update) continue
      if (still !== undefined && sameBytes(still, update)) continue
      if (still !== undefined) return false
      if (confirmed === undefined || !containsUpdate(confirmed, update)) return false
    }
    return true
  }

  function reset(entry: Entry): void {
    const former = entry.doc
    Object.assign(entry, load(entry.ref))
    entry.edits = []
    entry.cancelWindow()
    listen(entry)
    for (const listener of [...entry.listeners]) listener(entry.doc)
    former.destroy()
  }

  function close(entry: Entry): void {
    flush(entry)
    entries.delete(keyOf(entry.ref))
    entry.doc.destroy()
  }

  return {
    open(ref) {
      const key = keyOf(ref)
      const entry = entries.get(key) ?? openEntry(ref)
      entries.set(key, entry)
      entry.users += 1
      const own = new Set<(doc: Y.Doc) => void>()
      let isOpen = true
      return {
        get doc() {
          return entry.doc
        },
        onReset(listener) {
          const heard = (doc: Y.Doc): void => listener(doc)
          entry.listeners.add(heard)
          own.add(heard)
          return () => void entry.listeners.delete(heard)
        },
        flush: () => flush(entry),
        close() {
          if (!isOpen) return
          isOpen = false
          for (const listener of own) entry.listeners.delete(listener)
          entry.users -= 1
          if (entry.users === 0) close(entry)
          else flush(entry)
        },
      }
    },
    flush() {
      for (const entry of entries.values()) flush(entry)
    },
    isDirty: (key) => (entries.get(key)?.edits.length ?? 0) > 0,
    get dirty() {
      let count = 0
      for (const { edits } of entries.values()) if (edits.length > 0) count += 1
      return count
    },
    close() {
      unsubscribe()
      for (const entry of [...entries.values()]) close(entry)
    },
  }
}
