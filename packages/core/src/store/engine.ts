import { v7 as uuidv7 } from 'uuid'
import {
  createHybridClock,
  type EntityContent,
  FIRST_GENERATION,
  formatActor,
  type RegisterWrite,
} from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import { createDraft, createOutcome, missing, type OperationDraft } from '../operations/index.js'
import type { Cancel, Platform } from '../platform/index.js'
import type { EntityStatus } from '../query/index.js'
import {
  createReplica,
  currentGeneration,
  type EntityKey,
  type EntityRef,
  type EntityState,
  isRolledBack,
  keyOf,
  type PendingPart,
  type Replica,
  withFormerNames,
} from '../replica/index.js'
import type { ReplicaStorage, StoredRows } from '../storage/index.js'
import {
  createPersistence,
  leaseClient,
  type Persistence,
  type Retry,
  retryParked,
} from '../sync/index.js'
import { type ClientIds, createClientIds } from './client-ids.js'
import { createDeviceLink, type DeviceLink } from './device-link.js'
import { createHistory, type History, type HistoryEntry } from './history.js'
import { createLiveDocuments, type LiveDocument, type LiveDocuments } from './live-documents.js'
import { assertOptions, type EngineOptions } from './options.js'
import { createOutcomes } from './outcomes.js'
import { createRollbacks, tooLate } from './rollbacks.js'
import { createSnapshotShelf, type SnapshotShelf } from './snapshots.js'
import type { StoreStatus, TransactionHandle } from './types.js'
import { createWatch } from './watches.js'

export interface EngineListeners {
  /** These entities may show something else; without keys all of them. */
  entities(keys: ReadonlySet<EntityKey> | undefined): void
  operations(): void
  status(): void
  /** What can be undone or redone may be something else. */
  history(): void
}

/** One space on one device, from a local write to the relay and back. What `Store` is a face of. */
export interface Engine {
  readonly replica: Replica
  readonly ready: Promise<void>
  run(change: (draft: OperationDraft) => void): TransactionHandle
  /** Takes the last operation of this tab back by another one; undefined when there is none left that still stands. */
  undo(): TransactionHandle | undefined
  redo(): TransactionHandle | undefined
  readonly history: Pick<History, 'canUndo' | 'canRedo'>
  /** @throws TidemarkError `entity-missing` */
  openDocument(ref: EntityRef): LiveDocument
  statusOf(entity: EntityState): EntityStatus
  readonly status: StoreStatus
  readonly inFlight: ReadonlySet<string>
  retryOf(id: string): Retry | undefined
  /** @throws TidemarkError `entity-missing` for `take` of what isn't there */
  snapshots(ref: EntityRef): SnapshotShelf
  retry(id: string): Promise<void>
  discard(id: string): Promise<void>
  rollBack(id: string): Promise<void>
  rollBackAll(ref: EntityRef): Promise<void>
  close(): Promise<void>
  destroy(force: boolean): Promise<void>
}

/** What there is once the local data is loaded. */
interface Opened {
  readonly persistence: Persistence
  readonly clientIds: ClientIds
  readonly link: DeviceLink
  readonly documents: LiveDocuments
}

const WATCH_MS = 10_000
/** No tab sleeps longer and wakes up with what it was doing. */
const REMEMBER_ROLLBACK_MS = 30 * 24 * 60 * 60 * 1000
const NOTHING: ReadonlySet<string> = new Set()

export function createEngine(
  options: EngineOptions,
  platform: Platform,
  storage: ReplicaStorage,
  listeners: EngineListeners,
): Engine {
  assertOptions(options)
  const { clock, random } = platform
  const replica = createReplica()
  const hybridClock = createHybridClock(() => clock.now())
  const outcomes = createOutcomes()
  const rollbacks = createRollbacks()
  const history = createHistory()
  let opened: Opened | undefined
  let online = false
  let storageError: TidemarkError | undefined
  let cancelStale: Cancel = () => undefined
  /** The status as it was last computed; undefined when something it tells may have changed. */
  let status: StoreStatus | undefined
  let closing: Promise<void> | undefined
  let stopHiding: (() => void) | undefined

  /**
   * A hint of another tab is lost when that tab dies before it gives it, or when the read that it causes fails. So the
   * leading tab looks by itself and tells the others, and so does every tab for which something waits.
   */
  const watch = createWatch(
    clock,
    WATCH_MS,
    () => opened?.link.onWatch === true || hasPending(),
    async () => opened?.link.look(),
  )
  replica.subscribe((keys) => {
    watch.consider()
    listeners.entities(keys)
    listeners.operations()
    statusChanged()
  })

  const ready = open()
  // Whoever awaits `ready` hears of a failure; nobody has to.
  ready.catch(() => undefined)

  async function open(): Promise<void> {
    const rows = await storage.open(options.space, newReplicaId)
    load(rows)
    const lease = await leaseClient(options.name, rows.meta.clients, random, platform.locks)
    const clientIds = createClientIds(options.name, lease, platform)
    const persistence = createPersistence(options.space, storage, replica, clock, rows, {
      settled(settlement) {
        outcomes.settle(settlement)
        rollbacks.settle(settlement)
        if (settlement.kind === 'failed' || settlement.kind === 'discarded') {
          history.forget(settlement.id)
          listeners.history()
        }
        if (settlement.kind === 'saved') opened?.link.kick()
      },
      committed: (change) => opened?.link.announce(change),
      troubled(error) {
        storageError = error
        statusChanged()
      },
      rebasing: () => opened?.documents.flush(),
      displaced: () => void rotate(persistence, clientIds),
      writer: {
        client: () => clientIds.client,
        actor: () => actorOf(clientIds.client, rows.meta.replica),
        hybridClock,
      },
    })
    await persistence.write({}, ({ meta }) => {
      const clients = clientIds.listed(meta.clients)
      return {
        ...(clients === meta.clients ? {} : { meta: { clients } }),
        deleteOperations: forgotten(rows),
      }
    })
    const link = createDeviceLink({
      options,
      platform,
      replica,
      persistence,
      hybridClock,
      clientIds,
      rewound: () => void rotate(persistence, clientIds),
      changed: linkChanged,
      destroyed: () => void close(),
    })
    const documents = createLiveDocuments({
      replica,
      clock,
      client: () => clientIds.client,
      commit: (ref, edit, client, content) =>
        void stage([editPart(ref, edit, client)], new Map([[keyOf(ref), content]])),
      changed: (key) => linkChanged(new Set([key])),
    })
    opened = { persistence, clientIds, link, documents }
    stopHiding = platform.lifecycle?.onHide?.(() => documents.flush())
    linkChanged(NOTHING)
    watchStaleness()
    // What was committed between reading and joining the tabs was announced to nobody here.
    await persistence.refresh()
  }

  /** Rows of what was rolled back, once every tab that may have slept meanwhile is gone. */
  function forgotten({ operations }: StoredRows): number[] {
    return operations
      .filter((row) => isRolledBack(row) && clock.now() - row.createdAt > REMEMBER_ROLLBACK_MS)
      .map(({ order }) => order)
  }

  function load({ entities, operations }: StoredRows): void {
    for (const { lastModified } of entities) hybridClock.observe(lastModified)
    for (const { parts } of operations) {
      for (const { lastModified } of parts) hybridClock.observe(lastModified)
    }
    replica.absorb({ entities, operations, gone: [] })
  }

  /** The id before may have been used for what no longer exists: it is never used again. */
  function rotate(persistence: Persistence, clientIds: ClientIds): Promise<unknown> {
    const { clients } = clientIds.rotate(persistence.meta.clients)
    // A list that isn't written only costs a new id at the next start.
    return persistence.write({}, () => ({ meta: { clients } })).catch(() => undefined)
  }

  function actorOf(client: number, device: string): string {
    return formatActor({ user: options.user, replica: device, writer: client })
  }

  function statusChanged(): void {
    status = undefined
    listeners.status()
  }

  function linkChanged(entities: ReadonlySet<EntityKey>): void {
    watch.consider()
    if (entities.size > 0) listeners.entities(entities)
    const nowOnline = opened?.link.connection === 'online'
    if (nowOnline !== online) {
      online = nowOnline
      watchStaleness()
    }
    listeners.operations()
    statusChanged()
  }

  /** Rows turn stale by the mere passing of time. */
  function watchStaleness(): void {
    cancelStale()
    if (options.url === undefined || closing !== undefined || opened === undefined) return
    listeners.entities(undefined)
    const { lastSyncedAt } = opened.persistence.space
    if (online || lastSyncedAt === null) return
    // A clock that was set back by years must not set a timer for years: browsers run those at once (CLK-1).
    const left = Math.min(lastSyncedAt - clock.now(), 0) + options.staleAfter
    if (left > 0) cancelStale = clock.schedule(() => listeners.entities(undefined), left + 1)
  }

  function isStale(): boolean {
    const lastSyncedAt = opened?.persistence.space.lastSyncedAt ?? null
    return !online && lastSyncedAt !== null && clock.now() - lastSyncedAt > options.staleAfter
  }

  function inFlight(): ReadonlySet<string> {
    return opened?.link.inFlight ?? NOTHING
  }

  function hasPending(): boolean {
    return replica.counts().waiting > 0
  }

  function run(
    change: (draft: OperationDraft) => void,
    record: (entry: HistoryEntry) => void = history.done,
  ): TransactionHandle {
    const { persistence, clientIds, documents } = requireOpen()
    // What was typed before comes before.
    documents.flush()
    const { client } = clientIds
    const { replica: device } = persistence.meta
    const draft = createDraft({
      schema: options.schema,
      content: (ref) => replica.content(ref),
      updates: (ref) => replica.updates(ref),
      sequence: (ref) => replica.entity(ref)?.sequence ?? 0,
      generation: (ref) => generationOf(replica, ref),
      exists: (ref) => isKnown(replica, ref),
      now: () => Math.round(hybridClock.now() / 1000),
      tick: () => hybridClock.tick(),
      actor: actorOf(client, device),
      client,
      newId: newUuid,
    })
    const result: unknown = change(draft)
    if (result instanceof Promise) throw asynchronous(result)
    const { parts, entities, contents, recorded } = draft.finish()
    if (parts.length === 0) {
      // Everything was so already: there is nothing to save or to send.
      const done = createOutcome()
      done.synced()
      const id = newUuid()
      return { id, entities, when: done.when, rollback: () => rollBack(id) }
    }
    const { id, when } = stage(parts, contents)
    record({ id, recorded })
    listeners.history()
    return { id, entities, when, rollback: () => rollBack(id) }
  }

  /** Takes steps back until one of them changes something: what others have overwritten since is none. */
  function step(
    take: () => HistoryEntry | undefined,
    record: (entry: HistoryEntry) => void,
  ): TransactionHandle | undefined {
    requireOpen().documents.flush()
    for (let entry = take(); entry !== undefined; entry = take()) {
      const { recorded } = entry
      let isRecorded = false
      const handle = run(
        (draft) => {
          const { moves } = requireOpen().persistence.meta
          history.moved(draft.revert(recorded, [...moves, ...history.moves]))
        },
        (made) => {
          isRecorded = true
          record(made)
        },
      )
      if (isRecorded) return handle
    }
    listeners.history()
    return undefined
  }

  /** Applies an operation here and has it saved. */
  function stage(
    parts: readonly PendingPart[],
    contents: ReadonlyMap<EntityKey, EntityContent>,
  ): Pick<TransactionHandle, 'id' | 'when'> {
    const { persistence } = requireOpen()
    const id = newUuid()
    const { when } = outcomes.track(id)
    const named = parts.map((part) => ({
      ...part,
      writes: withFormerNames(part.writes, pendingWrites(replica, part)),
    }))
    replica.stage({ id, createdAt: clock.now(), parts: named, failure: null }, contents)
    persistence.save()
    return { id, when }
  }

  function editPart(ref: EntityRef, edit: Uint8Array, client: number): PendingPart {
    return {
      collection: ref.collection,
      id: ref.id,
      kind: 'update',
      generation: generationOf(replica, ref),
      sequence: (replica.entity(ref)?.sequence ?? 0) + 1,
      lastModified: hybridClock.tick(),
      writes: [],
      edit,
      client,
      update: edit,
    }
  }

  function openDocument(ref: EntityRef): LiveDocument {
    const { documents } = requireOpen()
    if (!isKnown(replica, ref)) throw missing(ref)
    return documents.open(ref)
  }

  async function retry(id: string): Promise<void> {
    const { persistence, clientIds, link } = requireOpen()
    requireFailed(id)
    const { meta } = persistence
    await retryParked(persistence, replica, id, () => clientIds.rotate(meta.clients))
    link.kick()
  }

  async function discard(id: string): Promise<void> {
    const { persistence } = requireOpen()
    const order = requireFailed(id)
    await persistence.write({ operations: [order] }, ({ operations: [row] }) =>
      row?.failure ? { deleteOperations: [order] } : {},
    )
  }

  /** Takes an operation back that the relay doesn't have; one that is parked is dropped. */
  async function rollBack(id: string): Promise<void> {
    const { persistence, link, documents } = requireOpen()
    documents.flush()
    const operation = replica.operation(id)
    if (operation === undefined) throw tooLate(id)
    if (operation.failure !== null) return discard(id)
    const gone = rollbacks.wait(id)
    // A row has to be there before it can be taken away.
    if (replica.orderOf(id) === undefined) await persistence.idle()
    link.rollBack(id)
    return gone
  }

  async function rollBackAll(ref: EntityRef): Promise<void> {
    requireOpen().documents.flush()
    const { pending = [], failed = [] } = replica.entity(ref) ?? {}
    // Newest first, so that none loses what it builds on. What the relay got meanwhile stays.
    for (const { id } of [...failed, ...pending].reverse()) {
      await rollBack(id).catch((error: unknown) => {
        if (!(error instanceof TidemarkError) || error.code !== 'operation-synced') throw error
      })
    }
  }

  function requireFailed(id: string): number {
    const order = replica.orderOf(id)
    if (order === undefined || replica.operation(id)?.failure === null) {
      throw new TidemarkError(
        'operation-missing',
        `There is no failed operation ${id}. Only failed ones can be retried or discarded.`,
      )
    }
    return order
  }

  function requireOpen(): Opened {
    if (closing !== undefined) throw closed()
    if (opened === undefined) {
      throw new TidemarkError(
        'store-not-ready',
        'The store is still reading its local data. Await store.ready first.',
      )
    }
    return opened
  }

  function close(): Promise<void> {
    // What was typed until now is saved like everything else.
    if (closing === undefined) opened?.documents.close()
    closing ??= (async () => {
      await ready.catch(() => undefined)
      stopHiding?.()
      watch.stop()
      opened?.link.stop()
      cancelStale()
      await opened?.persistence.close()
      opened?.link.leaveTabs()
      opened?.clientIds.release()
      storage.close()
      outcomes.end()
      rollbacks.end(closed())
    })()
    return closing
  }

  async function destroy(force: boolean): Promise<void> {
    const { link } = requireOpen()
    const unsent = replica.operations().length
    if (unsent > 0 && !force) {
      throw new TidemarkError(
        'unsent-work',
        `${unsent} ${unsent === 1 ? 'change has' : 'changes have'} not reached the relay and would be lost. Go online first, or pass { force: true }.`,
      )
    }
    link.announceDestroyed()
    await close()
    await storage.destroy()
  }

  function newUuid(): string {
    return uuidv7({ msecs: Math.max(0, clock.now()), random: random.bytes(16) })
  }

  function newReplicaId(): string {
    return [...random.bytes(10)].map((byte) => (byte % 36).toString(36)).join('')
  }

  return {
    replica,
    ready,
    run: (change) => run(change),
    undo: () => step(history.takeUndo, history.undone),
    redo: () => step(history.takeRedo, history.redone),
    history,
    snapshots: (ref) => createSnapshotShelf(storage, options.space, ref, clock, newUuid),
    openDocument,
    statusOf(entity) {
      if (entity.failed.length > 0) return 'error'
      if (opened?.documents.isDirty(keyOf(entity))) return 'pending'
      if (entity.pending.length > 0) {
        const sent = inFlight()
        return entity.pending.some(({ id }) => sent.has(id)) ? 'syncing' : 'pending'
      }
      return isStale() ? 'stale' : 'synced'
    },
    get status() {
      status ??= statusNow()
      return status
    },
    get inFlight() {
      return inFlight()
    },
    retryOf: (id) => opened?.link.retryOf(id),
    retry,
    discard,
    rollBack,
    rollBackAll,
    close,
    destroy,
  }

  function statusNow(): StoreStatus {
    const { waiting, failed } = replica.counts()
    let syncing = 0
    for (const id of inFlight()) if (replica.operation(id)?.failure === null) syncing += 1
    const error = opened?.link.error ?? storageError
    return {
      connection: opened?.link.connection ?? (options.url === undefined ? 'local' : 'connecting'),
      pending: waiting - syncing + (opened?.documents.dirty ?? 0),
      syncing,
      failed,
      lastSyncedAt: opened?.persistence.space.lastSyncedAt ?? null,
      error: error === undefined ? null : { code: error.code, message: error.message },
    }
  }
}

function generationOf(replica: Replica, ref: EntityRef): string {
  const { confirmed, pending = [] } = replica.entity(ref) ?? {}
  const key = keyOf(ref)
  const parts = pending.flatMap((operation) =>
    operation.parts.filter((part) => keyOf(part) === key),
  )
  return currentGeneration(confirmed, parts) ?? FIRST_GENERATION
}

function pendingWrites(replica: Replica, ref: EntityRef): RegisterWrite[] {
  const pending = replica.entity(ref)?.pending ?? []
  return pending.flatMap(({ parts }) =>
    parts.filter((part) => keyOf(part) === keyOf(ref)).flatMap(({ writes }) => writes),
  )
}

function isKnown(replica: Replica, ref: EntityRef): boolean {
  const entity = replica.entity(ref)
  return entity !== undefined && (entity.confirmed !== undefined || entity.pending.length > 0)
}

function closed(): TidemarkError {
  return new TidemarkError('store-closed', 'The store is closed. Create a new one to go on.')
}

function asynchronous(result: Promise<unknown>): TidemarkError {
  result.catch(() => undefined)
  return new TidemarkError(
    'value-invalid',
    "The transaction is asynchronous, and a write can't wait. Await first, then call transact; nothing was changed.",
  )
}
