import type {
  ConfirmedEntity,
  EntityKey,
  EntityRef,
  MovedText,
  PendingOperation,
  StoredOperation,
  StoredSnapshot,
} from '../replica/index.js'

/** What a device keeps about itself. */
export interface ReplicaMeta {
  /** The device's database, for actors and for owning Yjs client ids. */
  readonly replica: string
  /** Counts transactions; each row carries the count that last wrote it, so that a tab that slept reads what changed. */
  readonly change: number
  /** Counts rebases: an outbox row is only written by a tab that knows the latest [L11]. */
  readonly rebases: number
  /** Yjs client ids that tabs lease, one tab each at a time [L19]. */
  readonly clients: readonly number[]
  /** Where text went that was said again lately: for what a tab has typed next to it and not saved yet [L15]. */
  readonly moves: readonly MovedText[]
}

/** How far a space has been followed. */
export interface SpaceRow {
  /** The life of the relay's database that the sequences below belong to [L22]; null before the first contact. */
  readonly epoch: string | null
  /** The last space sequence that was applied. */
  readonly checkpoint: number
  /** When everything that the relay had was here, milliseconds since the epoch; null: never yet. */
  readonly lastSyncedAt: number | null
  /** Tombstones up to this sequence are gone here [L23]. */
  readonly horizon: number
  /** Operations up to this order were made for a former life of the relay's database [L22]. */
  readonly formerUpTo: number
  /** Counts transactions that removed entities: a tab that sees it move has to read everything again. */
  readonly removals: number
}

export interface StoredRows {
  readonly meta: ReplicaMeta
  readonly space: SpaceRow
  readonly entities: readonly ConfirmedEntity[]
  readonly operations: readonly StoredOperation[]
}

export interface ChangedRows extends StoredRows {
  /** The orders of all operations in the outbox of the space: what isn't among them has left it. */
  readonly orders: readonly number[]
}

/** The rows that a transaction decides upon. */
export interface ReadSet {
  readonly entities?: readonly EntityRef[]
  readonly operations?: readonly number[]
}

export interface CurrentRows {
  readonly meta: ReplicaMeta
  readonly space: SpaceRow
  /** In the order asked for; undefined where there is none. */
  readonly entities: readonly (ConfirmedEntity | undefined)[]
  readonly operations: readonly (StoredOperation | undefined)[]
}

/** What a transaction writes. Nothing at all when every property is absent. */
export interface WritePlan {
  readonly meta?: Partial<Pick<ReplicaMeta, 'rebases' | 'clients' | 'moves'>>
  readonly space?: Partial<Omit<SpaceRow, 'removals'>>
  readonly putEntities?: readonly ConfirmedEntity[]
  readonly removeEntities?: readonly EntityRef[]
  readonly addOperations?: readonly PendingOperation[]
  readonly putOperations?: readonly StoredOperation[]
  readonly deleteOperations?: readonly number[]
}

/** What was written, as it now stands. */
export interface Written {
  /** False when the plan was empty: then nothing was written, and `meta` is what other tabs made of it. */
  readonly committed: boolean
  readonly meta: ReplicaMeta
  readonly space: SpaceRow
  readonly entities: readonly ConfirmedEntity[]
  readonly operations: readonly StoredOperation[]
  readonly gone: readonly number[]
  readonly removed: readonly EntityRef[]
}

/**
 * The local storage of one replica: one database, shared by all tabs of a user and a relay.
 *
 * Contract (run by `storage-contract.test-support.ts` against every implementation):
 * - Transactions are serialisable over all tabs: `decide` sees the rows as they are when its writes land.
 * - `decide` is called once, synchronously, inside of the transaction, and must not have effects.
 * - The returned promise resolves after the commit, never before; when it rejects, nothing was written.
 * - `change` goes up by one with each transaction that writes, and marks the rows written by it.
 * - `removals` goes up by one with each transaction that removes entities.
 * - Orders of added operations go up by their commit, in the order given; they are never used twice.
 */
export interface ReplicaStorage {
  /** Reads everything of a space; makes the database of a new device with `identity`. */
  open(space: string, identity: () => string): Promise<StoredRows>
  /** Reads what transactions after `change` wrote; everything after -1. */
  readSince(space: string, change: number): Promise<ChangedRows>
  write(space: string, read: ReadSet, decide: (current: CurrentRows) => WritePlan): Promise<Written>
  /**
   * The snapshots of an entity, as they are after `change`, which gets those that there are. What `change` returns takes
   * their place, in one transaction; the same list means that nothing is written.
   */
  snapshots(
    space: string,
    entity: EntityKey,
    change?: (current: readonly StoredSnapshot[]) => readonly StoredSnapshot[],
  ): Promise<readonly StoredSnapshot[]>
  close(): void
  /** Deletes the database. */
  destroy(): Promise<void>
}

export const NEW_SPACE: SpaceRow = {
  epoch: null,
  checkpoint: 0,
  lastSyncedAt: null,
  horizon: 0,
  formerUpTo: 0,
  removals: 0,
}

/** The row of a space after a plan; one that an earlier version wrote lacks what it didn't know. */
export function spaceAfter(
  row: SpaceRow | undefined,
  { space, removeEntities = [] }: WritePlan = {},
): SpaceRow {
  const before = { ...NEW_SPACE, ...row }
  const removals = before.removals + (removeEntities.length > 0 ? 1 : 0)
  return { ...before, ...space, removals }
}

export function isEmptyPlan(plan: WritePlan): boolean {
  return (
    plan.meta === undefined &&
    plan.space === undefined &&
    !plan.putEntities?.length &&
    !plan.removeEntities?.length &&
    !plan.addOperations?.length &&
    !plan.putOperations?.length &&
    !plan.deleteOperations?.length
  )
}
