import { v7 as uuidv7 } from 'uuid'
import { createHybridClock, formatActor } from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import { missing } from '../operations/index.js'
import type { Cancel, Platform } from '../platform/index.js'
import { createPresences, type Presences } from '../presence/index.js'
import type { EntityStatus } from '../query/index.js'
import {
  createReplica,
  type EntityKey,
  type EntityRef,
  type EntityState,
  isRolledBack,
  keyOf,
  type Replica,
} from '../replica/index.js'
import type { ReplicaStorage, StoredRows } from '../storage/index.js'
import { createPersistence, leaseClient, type Persistence, type Retry } from '../sync/index.js'
import { type ClientIds, createClientIds } from './client-ids.js'
import { CHANNEL, createDeviceLink, type DeviceLink } from './device-link.js'
import { createHistory, type History } from './history.js'
import { createLiveDocuments, type LiveDocument, type LiveDocuments } from './live-documents.js'
import { assertOptions, type EngineOptions } from './options.js'
import { createOutbox, type Outbox } from './outbox.js'
import { createOutcomes } from './outcomes.js'
import { createRollbacks } from './rollbacks.js'
import { createSnapshotShelf, type SnapshotShelf } from './snapshots.js'
import type { StoreStatus } from './types.js'
import { createWatch } from './watches.js'
import { createWriting, isKnown, type Writing } from './writing.js'

export interface EngineListeners {
  /** These entities may show something else; without keys all of them. */
  entities(keys: ReadonlySet<EntityKey> | undefined): void
  operations(): void
  status(): void
  /** What can be undone or redone may be something else. */
  history(): void
}

/** One space on one device, from a local write to the relay and back. What `Store` is a face of. */
export interface Engine extends Omit<Writing, 'commit' | 'generation'>, Outbox {
  readonly replica: Replica
  readonly ready: Promise<void>
  /** Who is on a topic. Can be asked for before `ready`. */
  readonly presence: Presences['of']
  readonly history: Pick<History, 'canUndo' | 'canRedo'>
  /** @throws TidemarkError `entity-missing` */
  openDocument(ref: EntityRef): LiveDocument
  statusOf(entity: EntityState): EntityStatus
  readonly status: StoreStatus
  readonly inFlight: ReadonlySet<string>
  retryOf(id: string): Retry | undefined
  /** @throws TidemarkError `entity-missing` for `take` of what isn't there */
  snapshots(ref: EntityRef): SnapshotShelf
  reconnect(): void
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
  const presences = createPresences({
    user: options.user,
    channel: CHANNEL,
    clock,
    random,
    link: () => opened?.link.presence,
  })
  let opened: Opened | undefined
  let online = false
  let storageError: TidemarkError | undefined
  let cancelStale: Cancel = () => undefined
  /** The status as it was last computed; undefined when something it tells may have changed. */
  let status: StoreStatus | undefined
  let closing: Promise<void> | undefined
  let writer: { readonly client: number; readonly actor: string } | undefined
  let stopHiding: (() => void) | undefined
  let stopLeaving: (() => void) | undefined

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

  const outbox = createOutbox({ replica, rollbacks, open: openForWriting })
  const writing = createWriting({
    schema: options.schema,
    clock,
    hybridClock,
    replica,
    history,
    outcomes,
    open: openForWriting,
    newId: newUuid,
    rollBack: outbox.rollBack,
    historyChanged: () => listeners.history(),
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
      presences,
      rewound: () => void rotate(persistence, clientIds),
      changed: linkChanged,
      destroyed: () => void close(),
      newId: newUuid,
      async keepCopy(entity, { message }) {
        await shelfOf(entity).take(`The relay did not take it back: ${message}`, entity.view)
      },
    })
    const documents = createLiveDocuments({
      replica,
      clock,
      client: () => clientIds.client,
      generation: writing.generation,
      commit: writing.commit,
      changed: (key) => linkChanged(new Set([key])),
    })
    opened = { persistence, clientIds, link, documents }
    stopHiding = platform.lifecycle?.onHide?.(() => documents.flush())
    stopLeaving = platform.lifecycle?.onLeave?.(() => presences.show(false))
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
    const { waiting, owed } = replica.counts()
    return waiting > 0 || owed > 0
  }

  function openDocument(ref: EntityRef): LiveDocument {
    const { documents } = requireOpen()
    if (!isKnown(replica, ref)) throw missing(ref)
    return documents.open(ref)
  }

  function openForWriting() {
    const { persistence, clientIds, link, documents } = requireOpen()
    const { client } = clientIds
    // Asked for each write: one text for all of them.
    if (writer?.client !== client)
      writer = { client, actor: actorOf(client, persistence.meta.replica) }
    return { persistence, clientIds, link, ...writer, flush: documents.flush }
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
    if (closing === undefined) {
      opened?.documents.close()
      presences.close()
    }
    closing ??= (async () => {
      await ready.catch(() => undefined)
      stopHiding?.()
      stopLeaving?.()
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

  function shelfOf(ref: EntityRef): SnapshotShelf {
    return createSnapshotShelf(storage, options.space, ref, clock, newUuid)
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
    ...writing,
    ...outbox,
    presence: presences.of,
    history,
    snapshots: shelfOf,
    openDocument,
    statusOf(entity) {
      if (entity.failed.length > 0) return 'error'
      if (opened?.documents.isDirty(keyOf(entity))) return 'pending'
      if (entity.pending.length > 0) {
        const sent = inFlight()
        return entity.pending.some(({ id }) => sent.has(id)) ? 'syncing' : 'pending'
      }
      if (entity.confirmed?.owed !== undefined) return 'pending'
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
    reconnect: () => requireOpen().link.reconnect(),
    close,
    destroy,
  }

  function statusNow(): StoreStatus {
    const { waiting, failed, owed } = replica.counts()
    let syncing = 0
    for (const id of inFlight()) if (replica.operation(id)?.failure === null) syncing += 1
    const error = opened?.link.error ?? storageError
    return {
      connection: opened?.link.connection ?? (options.url === undefined ? 'local' : 'connecting'),
      pending: waiting - syncing + owed + (opened?.documents.dirty ?? 0),
      syncing,
      failed,
      lastSyncedAt: opened?.persistence.space.lastSyncedAt ?? null,
      error: error === undefined ? null : { code: error.code, message: error.message },
    }
  }
}

function closed(): TidemarkError {
  return new TidemarkError('store-closed', 'The store is closed. Create a new one to go on.')
}
