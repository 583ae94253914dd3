import type * as Y from 'yjs'
import type * as zod from 'zod/v4/core'
import type { StorableValue } from '../entity/index.js'
import type { OperationInfo, OperationStage } from '../operations/index.js'
import type { Presence } from '../presence/index.js'
import type { EntityRow, LiveQuery, QueryOptions, Readable } from '../query/index.js'
import type {
  Collections,
  Draft,
  Fields,
  FieldsOf,
  InsertInput,
  ListField,
  Schema,
  TextField,
  XmlField,
} from '../schema/index.js'
import type { ConnectionStatus } from '../sync/index.js'

/** What a transaction hands back at once. It is already applied; `when` waits for it to become safe. */
export interface TransactionHandle {
  /** UUIDv7; the operation's idempotency key, for ever. */
  readonly id: string
  /** The entities that it names. */
  readonly entities: readonly { readonly collection: string; readonly id: string }[]
  /**
   * Waits until the operation is on this device's disk (`saved`) or fsynced by the relay (`synced`).
   * There is no deadline: offline, `synced` takes as long as being offline does.
   *
   * @throws TidemarkError `rejected` (with `reason`), `operation-discarded`, `predecessor-rejected`,
   *   `storage-failed` or `store-closed`.
   */
  when(stage: OperationStage): Promise<void>
  /**
   * Takes the operation back as if it had never been made; later ones stay, but for what stands on it alone (text inside of
   * its text, edits of an entity that it made), which is parked. While it may be with the relay, its fate is awaited first.
   *
   * @throws TidemarkError `operation-synced` when the relay has it: undo it instead.
   */
  rollback(): Promise<void>
}

/** What a write to one entity hands back at once. */
export interface OperationHandle extends TransactionHandle {
  readonly entity: { readonly collection: string; readonly id: string }
}

/** Reads and writes of one collection. */
export interface CollectionHandle<F extends Fields = Fields> {
  readonly name: string
  /** Adds an entity; its id is final. @throws TidemarkError `value-invalid`, `entity-exists`, `entity-deleted` */
  insert(input: InsertInput<F>): OperationHandle
  /** Changes fields inside of `change`; only what differs is written. @throws TidemarkError `value-invalid`, `entity-missing` */
  update(id: string, change: (draft: Draft<F>) => void): OperationHandle
  /** Hides the entity behind a tombstone. @throws TidemarkError `entity-missing` */
  delete(id: string): OperationHandle
  /** Brings a deleted entity back with all of its values. @throws TidemarkError `entity-missing` */
  restore(id: string): OperationHandle
  /** The entity, frozen, the same object until it changes; `undefined` when missing or deleted. */
  get(id: string): EntityRow<F> | undefined
  /** One entity as a subscribable value. */
  watch(id: string): Readable<EntityRow<F> | undefined>
  /**
   * The entity's document for an editor to bind to. What is typed becomes operations, a short window of typing one each.
   * Close it when the editor goes. @throws TidemarkError `entity-missing`
   */
  open(id: string): OpenDocument<F>
  /**
   * Who is at the entity right now, and what they do there; the entity needn't exist.
   * Peers whose state doesn't fit `schema` are left out. @throws TidemarkError `value-invalid` for what is no id
   */
  presence<State = StorableValue>(id: string, schema?: zod.$ZodType<State>): Presence<State>
  /** Copies of the entity on this device, for going back to. */
  snapshots(id: string): Snapshots<F>
  /** A live query. Its rows keep their identity while nothing in them changes. */
  query(options?: QueryOptions<F>): LiveQuery<EntityRow<F>>
}

/** An entity as it was. */
export interface Snapshot<F extends Fields = Fields> {
  readonly id: string
  readonly label: string
  /** Milliseconds since the Unix epoch. */
  readonly takenAt: number
  /** The entity then; undefined when it was deleted. */
  readonly row: EntityRow<F> | undefined
}

/** The snapshots of one entity. They stay on the device; 30 of each entity are kept, the least recently used one goes first. */
export interface Snapshots<F extends Fields = Fields> {
  /** Keeps the entity as it is now. @throws TidemarkError `entity-missing`, `storage-failed` */
  take(label?: string): Promise<Snapshot<F>>
  /** The newest first. */
  list(): Promise<readonly Snapshot<F>[]>
  /**
   * Writes what differs from the snapshot, as an ordinary operation that can be undone; brings a deleted entity back. XML
   * fields stay as they are. @throws TidemarkError `snapshot-missing`, `entity-missing`
   */
  restore(snapshot: string): Promise<OperationHandle>
  remove(snapshot: string): Promise<void>
}

/** Names of fields of a kind. */
type FieldsOfKind<F extends Fields, Kind> = {
  [K in keyof F]: F[K] extends Kind ? K : never
}[keyof F] &
  string

/** The live document of one entity. Its types are those that any Yjs editor binding takes. */
export interface OpenDocument<F extends Fields = Fields> {
  /** The document as it is now; `onReset` tells when another one takes its place. */
  readonly doc: Y.Doc
  text(field: FieldsOfKind<F, TextField>): Y.Text
  list(field: FieldsOfKind<F, ListField>): Y.Array<unknown>
  xml(field: FieldsOfKind<F, XmlField>): Y.XmlFragment
  /**
   * Calls `listener` after a rejected or rolled back change was taken out of the document, or its history was shed: there is
   * a new `doc` then, and editors bind to its types anew. Returns the function that stops it.
   */
  onReset(listener: (doc: Y.Doc) => void): () => void
  /** Makes an operation of what was typed, without waiting for the window to end. */
  flush(): void
  /** Flushes and lets go of the document. */
  close(): void
}

/** Writes of one collection inside of `transact`. */
export interface CollectionTransaction<F extends Fields = Fields> {
  insert(input: InsertInput<F>): string
  update(id: string, change: (draft: Draft<F>) => void): void
  delete(id: string): void
  restore(id: string): void
  get(id: string): EntityRow<F> | undefined
}

export interface StoreStatus {
  readonly connection: ConnectionStatus
  /** Operations that wait here. */
  readonly pending: number
  /** Operations on their way. */
  readonly syncing: number
  /** Operations that were rejected and wait for a person. */
  readonly failed: number
  /** When this replica last had everything the relay had, in milliseconds since the epoch; null: never. */
  readonly lastSyncedAt: number | null
  /** What keeps work from being saved or sent until somebody acts; null when nothing does. */
  readonly error: { readonly code: string; readonly message: string } | null
}

/** The outbox. */
export interface Operations extends Readable<readonly OperationInfo[]> {
  list(filter?: { readonly state?: OperationInfo['state'] }): readonly OperationInfo[]
  /** Sends a failed operation again, with its original stamps, after what is pending now. @throws TidemarkError `operation-missing` */
  retry(id: string): Promise<void>
  /** Drops a failed operation for good. @throws TidemarkError `operation-missing` */
  discard(id: string): Promise<void>
  /** Takes a pending operation back, like `rollback` of its handle. @throws TidemarkError `operation-synced` */
  rollback(id: string): Promise<void>
  /** Takes everything back on an entity that the relay doesn't have, newest first. */
  rollbackAll(entity: { readonly collection: string; readonly id: string }): Promise<void>
}

export type CollectionHandles<C extends Collections> = {
  readonly [Name in keyof C]: CollectionHandle<FieldsOf<Schema<C>, Name>>
}

export type Transaction<C extends Collections> = {
  readonly [Name in keyof C]: CollectionTransaction<FieldsOf<Schema<C>, Name>>
}

export interface StoreBase<C extends Collections> {
  readonly schema: Schema<C>
  readonly user: string
  /** Local data is loaded. Needs no network. @throws TidemarkError `storage-failed` */
  readonly ready: Promise<void>
  readonly status: Readable<StoreStatus>
  readonly operations: Operations
  /** Who is in the space right now. Peers whose state doesn't fit `schema` are left out. Can be used before `ready`. */
  presence<State = StorableValue>(schema?: zod.$ZodType<State>): Presence<State>
  /** All or nothing, here and at the relay. @throws whatever `change` throws; nothing is applied then. */
  transact(change: (transaction: Transaction<C>) => void): TransactionHandle
  /**
   * Takes back the last change that this tab made through the store, by an operation that writes what was there before. What
   * somebody has written since is left alone; a change of which nothing stands any more is passed over. Typing into an open
   * document belongs to the editor's own undo. Returns undefined when there is nothing (left) to undo.
   */
  undo(): TransactionHandle | undefined
  /** Does again what `undo` took back. */
  redo(): TransactionHandle | undefined
  /** Whether there is something to undo or to redo. */
  readonly history: Readable<{ readonly canUndo: boolean; readonly canRedo: boolean }>
  /**
   * Tries to reach the relay now, instead of when it would be tried again by itself: after a sign-in, for example, when
   * `status.connection` was `unauthorized`.
   */
  reconnect(): void
  /** Stops; unsent work stays on disk and goes on at the next start. */
  close(): Promise<void>
  /** Deletes this user's local data. @throws TidemarkError `unsent-work` unless forced. */
  destroy(options?: { readonly force?: boolean }): Promise<void>
}

export type Store<C extends Collections = Collections> = StoreBase<C> & CollectionHandles<C>
