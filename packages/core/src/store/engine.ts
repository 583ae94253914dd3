import { v7 as uuidv7 } from 'uuid'
import { createHybridClock, formatActor, SPACE_NAME, USER_ID } from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import {
  createDraft,
  createOutcome,
  type OperationDraft,
  type Outcome,
} from '../operations/index.js'
import type { Cancel, Platform } from '../platform/index.js'
import { PROTOCOL_VERSION } from '../protocol/index.js'
import type { EntityStatus } from '../query/index.js'
import {
  createReplica,
  type EntityKey,
  type EntityRef,
  type EntityState,
  FIRST_GENERATION,
  type PendingOperation,
  type Replica,
} from '../replica/index.js'
import type { Schema } from '../schema/index.js'
import type { ReplicaStorage } from '../storage/index.js'
import {
  type ClientLease,
  type ConnectionStatus,
  connectionStatus,
  createLink,
  createPersistence,
  createSpaceSync,
  IDLE,
  joinTabs,
  type Link,
  leaseClient,
  leaseNewClient,
  type Persistence,
  type Retry,
  retryParked,
  type Settlement,
  type SpaceSync,
  type Tabs,
} from '../sync/index.js'
import type { StoreStatus, TransactionHandle } from './types.js'

export interface EngineOptions {
  readonly schema: Schema
  readonly user: string
  readonly space: string
  /** No url: local only. */
  readonly url: string | undefined
  readonly auth: (() => string | Promise<string>) | undefined
  /** Milliseconds after which what hasn't been compared with the relay counts as stale. */
  readonly staleAfter: number
  /** Names the database, the locks and the channel. */
  readonly name: string
}

export interface EngineListeners {
  /** These entities may show something else; without keys all of them. */
  entities(keys: ReadonlySet<EntityKey> | undefined): void
  operations(): void
  status(): void
}

/** One space on one device, from a local write to the relay and back. What `Store` is a face of. */
export interface Engine {
  readonly replica: Replica
  readonly ready: Promise<void>
  run(change: (draft: OperationDraft) => void): TransactionHandle
  statusOf(entity: EntityState): EntityStatus
  readonly status: StoreStatus
  readonly inFlight: ReadonlySet<string>
  retryOf(id: string): Retry | undefined
  retry(id: string): Promise<void>
  discard(id: string): Promise<void>
  close(): Promise<void>
  destroy(force: boolean): Promise<void>
}

/** The relay is reached through one link; each space has a channel on it. */
const CHANNEL = 1

export function createEngine(
  options: EngineOptions,
  platform: Platform,
  storage: ReplicaStorage,
  listeners: EngineListeners,
): Engine {
  assertName('user', options.user, USER_ID)
  assertName('space', options.space, SPACE_NAME)
  const { clock, random } = platform
  const replica = createReplica()
  const hybrid = createHybridClock(() => clock.now())
  const outcomes = new Map<string, Outcome>()
  let lease: ClientLease | undefined
  let persistence: Persistence | undefined
  let sync: SpaceSync | undefined
  let link: Link | undefined
  let tabs: Tabs | undefined
  let leading = false
  /** What the leading tab says, while that isn't this one. */
  let remote: { readonly connection: ConnectionStatus; readonly inFlight: ReadonlySet<string> } = {
    connection: 'offline',
    inFlight: new Set(),
  }
  let shown: ReadonlySet<string> = new Set()
  let online = false
  let trouble: TidemarkError | undefined
  let cancelStale: Cancel = () => undefined
  let cancelWatch: Cancel = () => undefined
  let watching = false
  /** The status as it was last computed; undefined when something it tells may have changed. */
  let status: StoreStatus | undefined
  let stopHints: () => void = () => undefined
  let closing: Promise<void> | undefined

  replica.subscribe((keys) => {
    watchOutbox()
    listeners.entities(keys)
    listeners.operations()
    statusChanged()
  })

  function statusChanged(): void {
    status = undefined
    listeners.status()
  }

  async function open(): Promise<void> {
    const rows = await storage.open(options.space, () => replicaId())
    const { meta } = rows
    lease = await leaseClient(options.name, meta.clients, random, platform.locks)
    persistence = createPersistence(options.space, storage, replica, clock, rows, {
      settled,
      committed: (change) => tabs?.post({ type: 'committed', change }),
      troubled(error) {
        trouble = error
        statusChanged()
      },
      displaced: () =>
        void persistence?.write({}, () => ({ meta: { clients: rotate().clients } })).catch(ignore),
      client: () => requireLease().client,
    })
    for (const entity of rows.entities) hybrid.observe(entity.lastModified)
    for (const operation of rows.operations) {
      for (const part of operation.parts) hybrid.observe(part.lastModified)
    }
    replica.absorb({ entities: rows.entities, operations: rows.operations, gone: [] })
    const { client, reusable } = lease
    if (reusable && !meta.clients.includes(client)) {
      await persistence.write({}, ({ meta: { clients } }) => ({
        meta: { clients: [...clients, client].slice(-MAX_LEASABLE) },
      }))
    }
    if (options.url !== undefined) prepareLink(options.url)
    watchStaleness()
    tabs = joinTabs(options.name, platform, { lead, message: receive })
    tabs.post({ type: 'ask' })
    stopHints = platform.lifecycle?.subscribe(hinted) ?? stopHints
    // What was committed between reading and joining the tabs was announced to nobody here.
    await persistence.refresh()
  }

  function prepareLink(url: string): void {
    const store = requirePersistence()
    sync = createSpaceSync({
      space: options.space,
      channel: CHANNEL,
      replica,
      persistence: store,
      clock,
      send: (message) => link?.send(message),
      fail: () => link?.fail(),
      epochChanged,
      observe: (lastModified) => hybrid.observe(lastModified),
      changed: linkChanged,
      freshClient: rotate,
    })
    link = createLink(url, platform, {
      hello: async () => ({
        type: 'hello',
        protocol: PROTOCOL_VERSION,
        user: options.user,
        token: (await options.auth?.()) ?? '',
        replica: store.meta.replica,
      }),
      message(message) {
        if (message.type === 'welcome') {
          hybrid.setOffset(message.serverTime - clock.now())
          sync?.up(message.epoch, message.limits)
        } else {
          sync?.receive(message)
        }
      },
      down: () => sync?.down(),
      stateChanged: linkChanged,
    })
  }

  function lead(): void {
    if (closing !== undefined) return
    leading = true
    link?.start()
    linkChanged()
  }

  function hinted(): void {
    void persistence
      ?.refresh()
      .then(() => sync?.kick())
      .catch(ignore)
    if (leading) link?.hint()
    else tabs?.post({ type: 'ask' })
  }

  function receive(message: Parameters<Parameters<typeof joinTabs>[2]['message']>[0]): void {
    switch (message.type) {
      case 'committed':
        if (message.change > requirePersistence().meta.change) {
          void requirePersistence()
            .refresh()
            .then(() => sync?.kick())
            .catch(ignore)
        }
        break
      case 'ask':
        if (leading) announceLink()
        break
      case 'link':
        if (leading) break
        remote = { connection: message.connection, inFlight: new Set(message.inFlight) }
        linkChanged()
        break
      case 'destroyed':
        void close()
        break
    }
  }

  /** The connection, or what is on its way, changed: here or in the leading tab. */
  function linkChanged(): void {
    const inFlight = currentInFlight()
    const touched = new Set<EntityKey>()
    for (const id of difference(inFlight, shown)) {
      for (const part of replica.operation(id)?.parts ?? [])
        touched.add(`${part.collection}/${part.id}`)
    }
    shown = new Set(inFlight)
    if (touched.size > 0) listeners.entities(touched)
    const nowOnline = connection() === 'online'
    if (nowOnline !== online) {
      online = nowOnline
      watchStaleness()
    }
    listeners.operations()
    statusChanged()
    if (leading) announceLink()
  }

  function announceLink(): void {
    tabs?.post({ type: 'link', connection: connection(), inFlight: [...currentInFlight()] })
  }

  function connection(): ConnectionStatus {
    if (options.url === undefined) return 'local'
    if (trouble?.code === 'epoch-changed') return 'incompatible'
    return leading
      ? connectionStatus(link?.state ?? IDLE, sync?.caughtUp ?? false)
      : remote.connection
  }

  function currentInFlight(): ReadonlySet<string> {
    return leading ? (sync?.inFlight ?? remote.inFlight) : remote.inFlight
  }

  function epochChanged(epoch: string): void {
    trouble = new TidemarkError(
      'epoch-changed',
      `The relay's database is not the one that this device followed (its epoch is now "${epoch}"). Nothing is sent or taken over, and everything stays on this device. Bring the relay's former data back, or export and import.`,
    )
    link?.stop()
    linkChanged()
  }

  /** Takes a client id that nobody has used; the one before it is never leased again. */
  function rotate(): { client: number; clients: readonly number[] } {
    const old = requireLease()
    lease = leaseNewClient(options.name, random, platform.locks)
    old.release()
    const kept = requirePersistence().meta.clients.filter((client) => client !== old.client)
    const clients = lease.reusable ? [...kept, lease.client].slice(-MAX_LEASABLE) : kept
    return { client: lease.client, clients }
  }

  function watchStaleness(): void {
    cancelStale()
    if (options.url === undefined) return
    const { lastSyncedAt } = requirePersistence().space
    listeners.entities(undefined)
    if (online || lastSyncedAt === null) return
    const left = lastSyncedAt + options.staleAfter - clock.now()
    if (left > 0) cancelStale = clock.schedule(() => listeners.entities(undefined), left + 1)
  }

  /**
   * While something waits here, looks now and then whether that is still so: a hint from the tab with the link may have
   * been lost.
   */
  function watchOutbox(): void {
    if (watching || closing !== undefined || !hasPending()) return
    watching = true
    cancelWatch = clock.schedule(() => {
      watching = false
      void persistence
        ?.refresh()
        .then(() => sync?.kick())
        .catch(ignore)
        .finally(watchOutbox)
    }, OUTBOX_WATCH_MS)
  }

  function hasPending(): boolean {
    return replica.operations().some((operation) => operation.failure === null)
  }

  function statusOf(entity: EntityState): EntityStatus {
    if (entity.failed.length > 0) return 'error'
    if (entity.pending.length > 0) {
      const inFlight = currentInFlight()
      return entity.pending.some((operation) => inFlight.has(operation.id)) ? 'syncing' : 'pending'
    }
    return isStale() ? 'stale' : 'synced'
  }

  function isStale(): boolean {
    const lastSyncedAt = persistence?.space.lastSyncedAt ?? null
    return !online && lastSyncedAt !== null && clock.now() - lastSyncedAt > options.staleAfter
  }

  function settled(settlement: Settlement): void {
    if (settlement.kind === 'saved') {
      outcomes.get(settlement.id)?.saved()
      sync?.kick()
      return
    }
    const outcome = outcomes.get(settlement.id)
    outcomes.delete(settlement.id)
    switch (settlement.kind) {
      case 'synced':
        outcome?.synced()
        break
      case 'failed':
        outcome?.failed(failureError(settlement.id, settlement.failure))
        break
      case 'discarded':
        outcome?.failed(
          new TidemarkError('operation-discarded', `Operation ${settlement.id} was discarded.`),
        )
        break
    }
  }

  function run(change: (draft: OperationDraft) => void): TransactionHandle {
    assertOpen()
    const { client } = requireLease()
    const { meta } = requirePersistence()
    const draft = createDraft({
      schema: options.schema,
      content: (ref) => replica.content(ref),
      sequence: (ref) => replica.entity(ref)?.sequence ?? 0,
      generation: (ref) => generationOf(replica, ref),
      exists: (ref) => isKnown(replica, ref),
      now: () => clock.now(),
      tick: () => hybrid.tick(),
      actor: formatActor({ user: options.user, replica: meta.replica, writer: client }),
      client,
      newId: newUuid,
    })
    change(draft)
    const { parts, entities, contents } = draft.finish()
    const id = newUuid()
    const outcome = createOutcome()
    if (parts.length === 0) {
      // Everything was so already: there is nothing to save or to send.
      outcome.synced()
      return { id, entities, when: outcome.when }
    }
    const operation: PendingOperation = { id, createdAt: clock.now(), parts, failure: null }
    outcomes.set(id, outcome)
    replica.stage(operation, contents)
    requirePersistence().save()
    return { id, entities, when: outcome.when }
  }

  async function retry(id: string): Promise<void> {
    assertOpen()
    requireFailed(id)
    await retryParked(requirePersistence(), replica, id, rotate)
    sync?.kick()
  }

  async function discard(id: string): Promise<void> {
    assertOpen()
    const order = requireFailed(id)
    await requirePersistence().write({ operations: [order] }, ({ operations: [row] }) =>
      row?.failure ? { deleteOperations: [order] } : {},
    )
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

  function close(): Promise<void> {
    closing ??= (async () => {
      await ready.catch(ignore)
      stopHints()
      cancelStale()
      cancelWatch()
      link?.stop()
      await persistence?.close()
      tabs?.close()
      lease?.release()
      storage.close()
      const closed = new TidemarkError(
        'store-closed',
        'The store was closed. What was saved is kept and goes on at the next start.',
      )
      for (const outcome of outcomes.values()) outcome.failed(closed)
      outcomes.clear()
    })()
    return closing
  }

  async function destroy(force: boolean): Promise<void> {
    assertOpen()
    const unsent = replica.operations().length
    if (unsent > 0 && !force) {
      throw new TidemarkError(
        'unsent-work',
        `${unsent} ${unsent === 1 ? 'change has' : 'changes have'} not reached the relay and would be lost. Go online first, or pass { force: true }.`,
      )
    }
    tabs?.post({ type: 'destroyed' })
    await close()
    await storage.destroy()
  }

  function assertOpen(): void {
    if (closing !== undefined) {
      throw new TidemarkError('store-closed', 'The store is closed. Create a new one to go on.')
    }
    if (tabs === undefined) {
      throw new TidemarkError(
        'store-not-ready',
        'The store is still reading its local data. Await store.ready first.',
      )
    }
  }

  function requirePersistence(): Persistence {
    if (persistence === undefined) throw new Error('the store has not been opened')
    return persistence
  }

  function requireLease(): ClientLease {
    if (lease === undefined) throw new Error('the store has not been opened')
    return lease
  }

  function newUuid(): string {
    return uuidv7({ msecs: Math.max(0, clock.now()), random: random.bytes(16) })
  }

  function replicaId(): string {
    return [...random.bytes(10)].map((byte) => (byte % 36).toString(36)).join('')
  }

  const ready = open()
  // Whoever awaits `ready` hears of a failure; nobody has to.
  ready.catch(ignore)

  return {
    replica,
    ready,
    run,
    statusOf,
    get status() {
      status ??= statusNow()
      return status
    },
    get inFlight() {
      return currentInFlight()
    },
    retryOf: (id) => sync?.retryOf(id),
    retry,
    discard,
    close,
    destroy,
  }

  function statusNow(): StoreStatus {
    const inFlight = currentInFlight()
    let pending = 0
    let syncing = 0
    let failed = 0
    for (const operation of replica.operations()) {
      if (operation.failure !== null) failed += 1
      else if (inFlight.has(operation.id)) syncing += 1
      else pending += 1
    }
    return {
      connection: connection(),
      pending,
      syncing,
      failed,
      lastSyncedAt: persistence?.space.lastSyncedAt ?? null,
      error: trouble === undefined ? null : { code: trouble.code, message: trouble.message },
    }
  }
}

const OUTBOX_WATCH_MS = 10_000

/** More free ids than tabs anybody opens; the oldest is forgotten, which only costs a new one. */
const MAX_LEASABLE = 32

function generationOf(replica: Replica, ref: EntityRef): string {
  const entity = replica.entity(ref)
  return (
    entity?.confirmed?.generation ??
    entity?.pending[0]?.parts.find((part) => part.id === ref.id)?.generation ??
    FIRST_GENERATION
  )
}

function isKnown(replica: Replica, ref: EntityRef): boolean {
  const entity = replica.entity(ref)
  return entity !== undefined && (entity.confirmed !== undefined || entity.pending.length > 0)
}

function failureError(
  id: string,
  { code, message }: { code: string; message: string },
): TidemarkError {
  if (code === 'predecessor-rejected') return new TidemarkError(code, message)
  return new TidemarkError(
    'rejected',
    `The relay refused operation ${id}: ${message} Its changes were taken back here; store.operations keeps them for a retry.`,
    { reason: code },
  )
}

function* difference(a: ReadonlySet<string>, b: ReadonlySet<string>): Iterable<string> {
  for (const id of a) if (!b.has(id)) yield id
  for (const id of b) if (!a.has(id)) yield id
}

function assertName(what: string, value: string, pattern: RegExp): void {
  if (!pattern.test(value)) {
    throw new TidemarkError(
      'value-invalid',
      `The ${what} is ${JSON.stringify(value)}. It has 1 to 128 ASCII letters, digits or ". _ : - @ +" (a space's name none of the last two) and starts with a letter or digit.`,
      { path: [what] },
    )
  }
}

function ignore(): void {}
