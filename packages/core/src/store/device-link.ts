import { formatActor, type HybridClock } from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import type { Platform } from '../platform/index.js'
import type { PresenceLink, Presences } from '../presence/index.js'
import { PROTOCOL_VERSION } from '../protocol/index.js'
import {
  type ConfirmedEntity,
  type EntityKey,
  keyOf,
  type OperationFailure,
  type Replica,
} from '../replica/index.js'
import {
  type ConnectionStatus,
  connectionStatus,
  createLink,
  createSpaceSync,
  createTokenRefresh,
  joinTabs,
  type Persistence,
  type Retry,
  type TabMessage,
} from '../sync/index.js'
import type { ClientIds } from './client-ids.js'
import type { EngineOptions } from './options.js'

/**
 * The device's link to the relay as this tab sees it: its own while it leads, otherwise what the leading tab
 * tells of it.
 */
export interface DeviceLink {
  /** Undefined without a relay. */
  readonly presence: PresenceLink | undefined
  readonly connection: ConnectionStatus
  readonly inFlight: ReadonlySet<string>
  /** What keeps the link from being used until somebody acts. */
  readonly error: TidemarkError | undefined
  /** Whether others rely on this tab: `look` is to be called now and then. */
  readonly onWatch: boolean
  retryOf(id: string): Retry | undefined
  /** The outbox may have something to send. */
  kick(): void
  /** Takes a pending operation back as soon as that is allowed. */
  rollBack(id: string): void
  /** This tab wrote rows. */
  announce(change: number): void
  /** What the other tabs have told, or should have been told, doesn't count: looks by itself, and tells again. */
  look(): Promise<void>
  /** Tries to reach the relay now. */
  reconnect(): void
  /** The local data is being deleted. */
  announceDestroyed(): void
  stop(): void
  leaveTabs(): void
}

export interface DeviceLinkHost {
  readonly options: EngineOptions
  readonly platform: Platform
  readonly replica: Replica
  readonly persistence: Persistence
  readonly hybridClock: HybridClock
  readonly clientIds: ClientIds
  readonly presences: Presences
  /** The hybrid clock went back: what is written from now on needs another client id and actor [L1]. */
  rewound(): void
  /** The connection, or what is on its way, changed; the status of these entities with it. */
  changed(entities: ReadonlySet<EntityKey>): void
  /** Another tab deletes the local data. */
  destroyed(): void
  newId(): string
  /** Keeps what is shown of an entity for the person whose work it is. */
  keepCopy(entity: ConfirmedEntity, reason: OperationFailure): Promise<void>
}

/** The relay is reached through one link; each space has a channel on it. */
export const CHANNEL = 1

const NOTHING: ReadonlySet<string> = new Set()

export function createDeviceLink(host: DeviceLinkHost): DeviceLink {
  const { options, platform, replica, persistence, hybridClock, presences } = host
  let leading = false
  /** What the leading tab says, while that isn't this one. */
  let remote: {
    readonly connection: ConnectionStatus
    readonly inFlight: ReadonlySet<string>
    readonly reason: string
  } = { connection: 'offline', inFlight: NOTHING, reason: '' }
  /** What this tab wants rolled back, while another one has the link. */
  const wanted = new Set<string>()
  /** How far the relay's clock is ahead of the device's, in milliseconds; null: nobody has told yet. */
  let clockOffset: number | null = null
  /** Links that are gone. */
  let links = 0
  /** What was on its way when `changed` was last told. */
  let told: ReadonlySet<string> = NOTHING

  const sync = createSpaceSync({
    space: options.space,
    channel: CHANNEL,
    replica,
    persistence,
    clock: platform.clock,
    send: (message) => link?.send(message),
    fail: () => link?.fail(),
    observe: (lastModified) => hybridClock.observe(lastModified),
    changed,
    freshClient: () => host.clientIds.rotate(persistence.meta.clients),
    restamping: (client) => ({
      actor: formatActor({
        user: options.user,
        replica: persistence.meta.replica,
        writer: client,
      }),
      timeOf: (createdAt) => hybridClock.timeOf(createdAt),
      // This tab goes on writing with the same actor: what the clock gives out next is later than all of these [L1].
      latest: Math.min(hybridClock.tick(), hybridClock.now()),
    }),
    newId: host.newId,
    keepCopy: host.keepCopy,
  })
  const link =
    options.url === undefined
      ? undefined
      : createLink(options.url, platform, {
          hello: async (renew) => ({
            type: 'hello',
            protocol: PROTOCOL_VERSION,
            user: options.user,
            token: (await options.auth?.({ renew })) ?? '',
            replica: persistence.meta.replica,
          }),
          message(message) {
            if (message.type === 'authenticated') {
              tokenExpires(message.tokenExpiresAt)
            } else if (message.type === 'welcome') {
              correctClock(message.serverTime - platform.clock.now())
              tokenExpires(message.tokenExpiresAt)
              sync.up(message.epoch, message.limits)
            } else if (message.type === 'presence') {
              presences.receive(message)
            } else {
              if (message.type === 'opened' && presences.since === null) presences.up()
              if (message.type === 'reject') correctClock(message.serverTime - platform.clock.now())
              sync.receive(message)
            }
          },
          down() {
            presences.down()
            links += 1
            tokenRefresh.stop()
            sync.down()
          },
          stateChanged: changed,
        })
  const tokenRefresh = createTokenRefresh(platform, () => void refreshToken())
  const tabs = joinTabs(`${options.name}#${options.space}`, platform, { lead, message: receive })
  const stopHints = platform.lifecycle?.subscribe(hinted)
  tabs.post({ type: 'ask' })

  function lead(): void {
    leading = true
    if (link !== undefined) sync.lead()
    link?.start()
    for (const id of wanted) sync.rollBack(id)
    wanted.clear()
    changed()
  }

  function rollBack(id: string): void {
    if (leading || link === undefined) {
      sync.rollBack(id)
      return
    }
    wanted.add(id)
    tabs.post({ type: 'rollBack', id })
  }

  /** The message may have been lost, or its reader: said again until the operation is gone. */
  function repeatWishes(): void {
    for (const id of wanted) {
      if (replica.operation(id)?.failure === null) tabs.post({ type: 'rollBack', id })
      else wanted.delete(id)
    }
  }

  /** Never: 0. In the relay's time. */
  function tokenExpires(at: number): void {
    const left = at - platform.clock.now() - (clockOffset ?? 0)
    tokenRefresh.expiresIn(at === 0 ? 0 : left)
  }

  async function refreshToken(): Promise<void> {
    const current = links
    try {
      const token = await options.auth?.({ renew: true })
      if (token && current === links) link?.send({ type: 'auth', token })
    } catch {
      // That is the app's network as likely as the app's mistake: it is asked again while there is time.
    }
  }

  function reconnect(): void {
    if (!leading) {
      tabs.post({ type: 'reconnect' })
    } else {
      link?.start()
      link?.hint()
    }
  }

  function correctClock(milliseconds: number): void {
    clockOffset = milliseconds
    if (hybridClock.setOffset(milliseconds)) host.rewound()
  }

  function hinted(): void {
    void takeOver()
    if (leading) link?.hint()
    else tabs.post({ type: 'ask' })
    presences.show(true)
  }

  /** Reads what other tabs wrote, and sends what of it is to be sent. */
  function takeOver(): Promise<void> {
    return persistence.refresh().then(
      () => sync.kick(),
      // The next hint tries again, at the latest what the leading tab tells after its next look.
      () => undefined,
    )
  }

  async function look(): Promise<void> {
    await takeOver()
    repeatWishes()
    if (!leading) return
    announce(persistence.meta.change)
    tellTabs()
  }

  function announce(change: number): void {
    tabs.post({ type: 'committed', change })
  }

  function receive(message: TabMessage): void {
    switch (message.type) {
      case 'committed':
        if (message.change > persistence.meta.change) void takeOver()
        break
      case 'ask':
        if (leading) tellTabs()
        break
      case 'link':
        if (leading) break
        if (typeof message.clockOffset === 'number') correctClock(message.clockOffset)
        presences.follow(message.since ?? null)
        remote = {
          connection: message.connection,
          inFlight: new Set(message.inFlight),
          reason: message.reason ?? '',
        }
        changed()
        break
      case 'reconnect':
        if (leading) reconnect()
        break
      case 'rollBack':
        if (leading) sync.rollBack(message.id)
        break
      case 'destroyed':
        host.destroyed()
        break
      default:
        presences.hear(message)
    }
  }

  function changed(): void {
    if (sync.caughtUp) link?.settled()
    const now = inFlight()
    const entities = new Set<EntityKey>()
    for (const id of difference(now, told)) {
      for (const part of replica.operation(id)?.parts ?? []) entities.add(keyOf(part))
    }
    told = new Set(now)
    host.changed(entities)
    if (leading) tellTabs()
  }

  function tellTabs(): void {
    tabs.post({
      type: 'link',
      connection: connection(),
      inFlight: [...inFlight()],
      clockOffset,
      since: presences.since,
      reason: reason(),
    })
  }

  /** What the relay said when it closed the link for good. */
  function reason(): string {
    if (!leading) return remote.reason
    return link?.state.kind === 'halted' ? link.state.reason : ''
  }

  function refusal(): TidemarkError | undefined {
    if (connection() !== 'unauthorized') return undefined
    return new TidemarkError(
      'unauthorized',
      `The relay doesn't let ${options.user} in. ${reason() || 'The token is not accepted.'} Everything stays on this device and is sent once there is another token: sign in, and call store.reconnect().`,
    )
  }

  function connection(): ConnectionStatus {
    if (link === undefined) return 'local'
    return leading ? connectionStatus(link.state, sync.caughtUp) : remote.connection
  }

  function inFlight(): ReadonlySet<string> {
    return leading ? sync.inFlight : remote.inFlight
  }

  return {
    presence: link && { send: link.send, post: tabs.post },
    get connection() {
      return connection()
    },
    get inFlight() {
      return inFlight()
    },
    get error() {
      return refusal()
    },
    get onWatch() {
      // Without either there is nobody to tell and nothing to send, and a script in Node may end.
      return leading && (link !== undefined || platform.channels !== undefined)
    },
    retryOf: (id) => sync.retryOf(id),
    kick: () => sync.kick(),
    rollBack,
    announce,
    look,
    reconnect,
    announceDestroyed: () => tabs.post({ type: 'destroyed' }),
    stop() {
      stopHints?.()
      link?.stop()
    },
    leaveTabs: () => tabs.close(),
  }
}

function* difference(a: ReadonlySet<string>, b: ReadonlySet<string>): Iterable<string> {
  for (const id of a) if (!b.has(id)) yield id
  for (const id of b) if (!a.has(id)) yield id
}
