/** One entity of a space. */
export interface EntityRef {
  readonly collection: string
  readonly id: string
}

/** To whom a Yjs client id belongs within one entity, for ever [L19], and how far it has got. */
export interface ClientBinding {
  readonly user: string
  readonly replica: string
  /** The clock that the client id's next item must have. */
  readonly clock: number
  /** The clock of the last register that it wrote; null while it has written none. */
  readonly tail: number | null
}

/** What of an entity matters for judging the next operation on it; its bytes are in its log. */
export interface EntityHead {
  readonly generation: string
  /** The space sequence of the operation that last changed it. */
  readonly sequence: number
  /** The entity's modification counter: the greatest of envelopes and elements [L6]. */
  readonly versionSequence: number
  /** The greatest hybrid-logical time of envelopes and elements, in microseconds [L6]. */
  readonly lastModified: number
  readonly clients: ReadonlyMap<number, ClientBinding>
  /** Size of the snapshot; 0 while there is none. */
  readonly snapshotBytes: number
  /** Size and number of the updates that came after the snapshot. */
  readonly logBytes: number
  readonly logLength: number
  /** Upper bound of how deep types nest, while it is known. Not stored: whoever needs it finds it out again. */
  readonly nesting?: number | undefined
  /**
   * When something last happened to it after somebody had deleted it, in milliseconds since the epoch; null when nobody has.
   * A restored entity may keep it: whoever purges tombstones looks at the document.
   */
  readonly tombstoneAt: number | null
}

/** An entity that was deleted, and perhaps restored since. */
export interface Tombstone {
  readonly ref: EntityRef
  readonly sequence: number
  readonly at: number
}

/** An accepted operation: what is remembered of it, so that sending it again has no effect [L10]. */
export interface StoredOperation {
  readonly id: string
  readonly sequence: number
  readonly user: string
  readonly replica: string
  readonly digest: Uint8Array
  /** Milliseconds since the epoch. */
  readonly acceptedAt: number
}

export interface StoredEntity {
  readonly ref: EntityRef
  readonly head: EntityHead
  /** The snapshot, if there is one, and the updates after it; merged they are the document. */
  readonly log: readonly Uint8Array[]
}

export interface PageLimits {
  readonly maxEntities: number
  readonly maxBytes: number
}

export interface EntityPage {
  /** In order of their last sequence. */
  readonly entities: readonly StoredEntity[]
  /** Entities that belong here, but whose bytes don't match their checksum. */
  readonly corrupt: readonly EntityRef[]
  /** Everything up to this sequence has been seen: the `since` of the next page. */
  readonly through: number
  /** True when `through` is the head of the space. */
  readonly complete: boolean
}

/**
 * Where a relay keeps what it has acknowledged.
 *
 * Contract
 * - When the promise of `transaction` resolves, everything that `work` wrote is on stable storage and survives kill -9
 *   and power loss; when it rejects, the caller must assume neither: nothing may be acknowledged, and only reading
 *   tells what is there.
 * - A transaction is atomic. Calls are serialised: they run one at a time, in the order in which they were made.
 * - Inside `work` reads see its own writes; all other reads see committed state only.
 * - Bytes come back as they were written or not at all: a mismatch with the checksum is a TidemarkError `corrupt`
 *   that concerns one entity or operation; the others stay readable (reliability F12).
 * - Every other failure is a TidemarkError `storage-failed`.
 */
export interface RelayStorage {
  /** The identity of this life of the database [L22]. */
  epoch(): Promise<string>
  /** When it began, in milliseconds since the Unix epoch. */
  epochStartedAt(): Promise<number>
  /** `work` may await nothing but methods of `tx`. */
  transaction<T>(work: (tx: RelayTransaction) => Promise<T>): Promise<T>
  /** The last sequence of the space; 0 for one that nobody has written to. Makes no space. */
  head(space: string): Promise<number>
  /** Tombstones of the space up to this sequence have been purged; 0 when none have [L23]. */
  horizon(space: string): Promise<number>
  /** The spaces that have a tombstone older than `before`, in milliseconds since the epoch. */
  spacesWithTombstones(before: number): Promise<readonly string[]>
  /** Those of the operations that were accepted. */
  operations(space: string, ids: readonly string[]): Promise<readonly StoredOperation[]>
  /**
   * The entities whose last sequence is greater than `since`, in that order: up to the first limit that is reached, at
   * least one. Entities with the same last sequence are never split between pages, so that `through` is a place where
   * a reader can resume [L21].
   */
  entitiesSince(space: string, since: number, limits: PageLimits): Promise<EntityPage>
  /** How many spaces and entities there are in all, deleted ones among them. */
  totals(): Promise<StorageTotals>
  close(): Promise<void>
}

export interface StorageTotals {
  readonly spaces: number
  readonly entities: number
}

export interface RelayTransaction {
  operation(space: string, id: string): Promise<StoredOperation | undefined>
  putOperation(space: string, operation: StoredOperation): Promise<void>
  /** The next sequence of the space, taken by updating its row in this transaction [L18]. */
  takeSequence(space: string): Promise<number>
  entityHead(space: string, ref: EntityRef): Promise<EntityHead | undefined>
  putEntityHead(space: string, ref: EntityRef, head: EntityHead): Promise<void>
  /** The entity's snapshot and updates; `head` says how much of it there must be. */
  entityLog(space: string, ref: EntityRef, head: EntityHead): Promise<readonly Uint8Array[]>
  appendUpdate(space: string, ref: EntityRef, sequence: number, update: Uint8Array): Promise<void>
  /** Puts one snapshot in the place of the entity's snapshot and updates. */
  putSnapshot(space: string, ref: EntityRef, snapshot: Uint8Array): Promise<void>
  /** How many entities the space has, deleted ones among them. */
  entityCount(space: string): Promise<number>
  /** Removes everything of the entity, as if it had never been. */
  deleteEntity(space: string, ref: EntityRef): Promise<void>
  /** In order of their sequences. */
  tombstones(space: string, limit: number): Promise<readonly Tombstone[]>
  setHorizon(space: string, sequence: number): Promise<void>
  /** Forgets operations that were accepted before a time, at most `limit` of them; returns how many. */
  pruneOperations(before: number, limit: number): Promise<number>
  /** Writes something that means nothing, so that the commit has to reach the disk. */
  probe(): Promise<void>
}
