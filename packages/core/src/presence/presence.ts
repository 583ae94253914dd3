import type * as zod from 'zod/v4/core'
import { TidemarkError } from '../errors.js'
import type { Cancel, Platform } from '../platform/index.js'
import {
  type ClientMessage,
  MAX_PRESENCE_BYTES,
  type Peer,
  type RelayMessage,
  sameBytes,
} from '../protocol/index.js'
import { notify } from '../query/index.js'
import { parseValue, storable } from '../schema/index.js'
import { createSeats, NOTHING, type Seats } from './seats.js'
import type { PresenceTabMessage } from './tab-message.js'
import type { Presence, PresencePeer, PresenceView } from './types.js'

/** How this tab reaches others. */
export interface PresenceLink {
  /** To the relay; only used between `up` and `down`. */
  send(message: ClientMessage): void
  /** To the other tabs of the device. */
  post(message: PresenceTabMessage): void
}

/** All that one tab knows of presence in its space. */
export interface Presences {
  /** @param topic '' for the space, or `<collection>/<id>` */
  of<State>(topic: string, schema?: zod.$ZodType<State>): Presence<State>
  /** The space can be reached over this tab's own link from now on. */
  up(): void
  down(): void
  /** When `up` was called last (milliseconds since the epoch); null after `down`. */
  readonly since: number | null
  /** That of the tab which has the link: when it is another one, that one knows nothing of this tab yet. */
  follow(since: number | null): void
  receive(message: Extract<RelayMessage, { readonly type: 'presence' }>): void
  hear(message: PresenceTabMessage): void
  /** The page goes, and others are told at once; or it is there (again), and may have missed things. */
  show(isShown: boolean): void
  close(): void
}

export interface PresencesHost extends Pick<Platform, 'clock' | 'random'> {
  readonly user: string
  readonly channel: number
  /** Undefined while local data is being loaded, and without a relay. */
  link(): PresenceLink | undefined
}

/** A topic as this tab sees it. */
interface Place {
  readonly topic: string
  /** What the presences of this tab have set, the latest last. */
  readonly said: Map<object, Uint8Array>
  self: Peer | undefined
  others: Map<string, Peer>
  isLive: boolean
  readonly listeners: Set<() => void>
  /** Another one whenever something of the above is. */
  version: number
  /** What the tab with the link was told: empty when this tab only listens, undefined when it was told nothing. */
  told: Uint8Array | undefined
}

/** Twenty times a second looks like motion. */
const SEND_MS = 50
/** A third of the time after which the relay gives a peer up. */
const RENEW_MS = 30_000
const NOBODY: PresenceView<never> = Object.freeze({ peers: Object.freeze([]), isLive: false })

export function createPresences({ user, channel, clock, random, link }: PresencesHost): Presences {
  const places = new Map<string, Place>()
  let cancelSend: Cancel | undefined
  let cancelRenew: Cancel | undefined
  let seats: Seats | undefined
  let since: number | null = null
  let followed: number | null = null
  let versions = 0
  let ownName: string | undefined
  /** The page has gone, or the store is closed: whatever is set, this tab is nowhere. */
  let isAway = false
  let isClosed = false

  /** Drawn when it is needed. */
  function name(): string {
    ownName ??= [...random.bytes(12)].map((byte) => (byte % 36).toString(36)).join('')
    return ownName
  }

  function ownId(): string {
    return `${user}/${name()}`
  }

  function placeOf(topic: string): Place {
    let place = places.get(topic)
    if (place === undefined) {
      place = {
        topic,
        said: new Map(),
        self: undefined,
        others: new Map(),
        isLive: false,
        listeners: new Set(),
        version: ++versions,
        told: undefined,
      }
      places.set(topic, place)
    }
    return place
  }

  function changed(place: Place): void {
    const version = ++versions
    place.version = version
    queueMicrotask(() => {
      // Once for all that happened in this task.
      if (place.version === version) notify<void>(place.listeners, undefined)
    })
  }

  /** What this tab says on a topic, or that it listens, may be something else. */
  function consider(place: Place): void {
    const state = [...place.said.values()].at(-1)
    if (!isSame(state, place.self?.state)) {
      place.self = state && { id: ownId(), user, state }
      changed(place)
    }
    cancelSend ??= clock.schedule(flush, SEND_MS)
  }

  function flush(): void {
    cancelSend = undefined
    if (isAway) return
    for (const place of places.values()) {
      const { topic, told } = place
      if (!isSame(wanted(place), told)) tell(place, told === undefined)
      if (place.told === undefined) places.delete(topic)
    }
  }

  function wanted({ self, listeners }: Place): Uint8Array | undefined {
    return isAway ? undefined : (self?.state ?? (listeners.size > 0 ? NOTHING : undefined))
  }

  function tell(place: Place, ask: boolean): void {
    const state = wanted(place)
    place.told = state
    const message = { type: 'present', topic: place.topic, peer: name(), state, ask } as const
    if (seats !== undefined) seats.take(message)
    else link()?.post(message)
    keepRenewing()
  }

  function tellAll(ask: boolean): void {
    for (const place of places.values()) tell(place, ask)
  }

  function show(isShown: boolean): void {
    isAway = isClosed || !isShown
    tellAll(isShown)
  }

  /** The relay takes a peer that isn't said again for dead, and so does this tab other tabs. */
  function keepRenewing(): void {
    const isUsed = places.size > 0 || (seats?.size ?? 0) > 0
    if (isUsed && !isAway) cancelRenew ??= clock.schedule(renew, RENEW_MS)
  }

  function renew(): void {
    cancelRenew = undefined
    // What another tab was told it may have passed on in vain.
    tellAll(seats === undefined)
    seats?.age()
    keepRenewing()
  }

  function lost(): void {
    for (const place of places.values()) {
      if (!place.isLive) continue
      place.isLive = false
      changed(place)
    }
  }

  function apply({ topic, all, peers }: Pick<Peers, 'topic' | 'all' | 'peers'>): void {
    const place = places.get(topic)
    if (place === undefined) return
    const { others: before, isLive: wasLive } = place
    const others = new Map(all ? [] : before)
    for (const peer of peers) {
      const known = before.get(peer.id)
      if (peer.state.length === 0) others.delete(peer.id)
      // What this tab does it knows best.
      else if (peer.id !== ownId())
        others.set(peer.id, known && isSame(known.state, peer.state) ? known : peer)
    }
    place.others = others
    place.isLive ||= all
    const isKnown = (peer: Peer): boolean => before.get(peer.id) === peer
    const differs = others.size !== before.size || ![...others.values()].every(isKnown)
    if (differs || place.isLive !== wasLive) changed(place)
  }

  function of<State>(topic: string, schema?: zod.$ZodType<State>): Presence<State> {
    const stops = new Set<() => void>()
    /** Nothing for a state that doesn't fit the schema. */
    const read = new WeakMap<Peer, readonly PresencePeer<State>[]>()
    let version: number | undefined
    let view: PresenceView<State> = NOBODY

    function checked(value: unknown): State {
      const path = ['presence']
      return (
        schema === undefined ? storable(value, path) : parseValue(schema, value, path)
      ) as State
    }

    function peerOf(peer: Peer): readonly PresencePeer<State>[] {
      let known = read.get(peer)
      if (known === undefined) {
        known = parse(peer)
        read.set(peer, known)
      }
      return known
    }

    function parse({ id, user, state: bytes }: Peer): readonly PresencePeer<State>[] {
      try {
        const state = checked(JSON.parse(new TextDecoder().decode(bytes)))
        return [Object.freeze({ id, user, state, isSelf: id === ownId() })]
      } catch {
        // Of another version of the app, or of somebody who is no app.
        return []
      }
    }

    function clear(): void {
      const place = places.get(topic)
      if (place?.said.delete(presence)) consider(place)
    }

    const presence: Presence<State> = {
      get current() {
        const place = places.get(topic)
        if (place?.version !== version) {
          version = place?.version
          view = NOBODY
          if (place !== undefined) {
            const { self, others, isLive } = place
            const peers = [...(self ? [self] : []), ...others.values()].flatMap(peerOf)
            view = Object.freeze({ peers: Object.freeze(peers), isLive })
          }
        }
        return view
      },
      subscribe(listener) {
        const place = placeOf(topic)
        const own = (): void => listener(presence.current)
        const stop = (): void => {
          stops.delete(stop)
          if (place.listeners.delete(own)) consider(place)
        }
        stops.add(stop)
        place.listeners.add(own)
        consider(place)
        return stop
      },
      set(state) {
        const bytes = new TextEncoder().encode(JSON.stringify(checked(state) ?? null))
        if (bytes.length > MAX_PRESENCE_BYTES) {
          throw new TidemarkError(
            'value-invalid',
            `The presence has ${bytes.length} bytes as JSON and may have ${MAX_PRESENCE_BYTES}. Nothing was changed; put what is large into an entity.`,
            { path: ['presence'] },
          )
        }
        const place = placeOf(topic)
        place.said.delete(presence)
        place.said.set(presence, bytes)
        consider(place)
      },
      clear,
      leave() {
        clear()
        for (const stop of stops) stop()
      },
    }
    return Object.freeze(presence)
  }

  return {
    of,
    up() {
      since = clock.now()
      seats = createSeats(channel, (message) => link()?.send(message))
      tellAll(true)
    },
    down() {
      since = null
      seats = undefined
      lost()
    },
    get since() {
      return since
    },
    follow(other) {
      if (other === null) lost()
      else if (other !== followed) tellAll(true)
      followed = other
    },
    receive(message) {
      const { topic, all, peers } = message
      apply(message)
      if (seats?.hasOther(topic, name())) link()?.post({ type: 'peers', topic, all, peers })
    },
    hear(message) {
      if (message.type === 'present') {
        seats?.take(message)
        keepRenewing()
      } else if (seats === undefined) apply(message)
    },
    show,
    close() {
      isClosed = true
      show(false)
      cancelSend?.()
      cancelRenew?.()
    },
  }
}

type Peers = Extract<PresenceTabMessage, { readonly type: 'peers' }>

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a && b ? sameBytes(a, b) : a === b
}
