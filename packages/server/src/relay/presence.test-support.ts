import { DEFAULT_LIMITS } from './limits.js'
import type { PresenceGuest, PresencePort, PresenceSeat } from './ports.js'
import { createPresence, type Presence, type PresenceLimits } from './presence.js'
import { createVirtualClock, type VirtualClock } from './virtual-clock.test-support.js'

export interface TestPresence {
  readonly presence: Presence
  readonly clock: VirtualClock
  guest(user: string): TestGuest
}

/** A connection that keeps for each topic what it was told. */
export interface TestGuest extends PresenceGuest {
  bufferedBytes: number
  join(topic: string): TestSeat
  /** Joins them, unless it is there. */
  seat(topic: string): TestSeat
  readonly seats: ReadonlyMap<string, TestSeat>
  disconnect(): void
}

export interface TestSeat {
  say(peer: string, state: string): void
  ask(): void
  leave(): void
  /** By id, the state of everybody that it knows of. */
  readonly view: ReadonlyMap<string, string>
  /** How often it was told something. */
  readonly frames: number
  /** Peers in what it was told last. */
  readonly lastPeers: number
  /** It was told a list of everybody. */
  readonly knows: boolean
}

export function createTestPresence(limits: Partial<PresenceLimits> = {}): TestPresence {
  const clock = createVirtualClock()
  const presence = createPresence({ clock, limits: { ...DEFAULT_LIMITS, ...limits } })
  return { presence, clock, guest: (user) => createGuest(presence, user) }
}

function createGuest(presence: PresencePort, user: string): TestGuest {
  const seats = new Map<string, TestSeat>()
  const guest: TestGuest = {
    user,
    bufferedBytes: 0,
    seats,
    join(topic) {
      const seat = createSeat(presence, topic, guest, () => seats.delete(topic))
      seats.set(topic, seat)
      return seat
    },
    seat: (topic) => seats.get(topic) ?? guest.join(topic),
    disconnect() {
      for (const seat of [...seats.values()]) seat.leave()
    },
  }
  return guest
}

function createSeat(
  presence: PresencePort,
  topic: string,
  guest: PresenceGuest,
  left: () => void,
): TestSeat {
  const view = new Map<string, string>()
  let frames = 0
  let lastPeers = 0
  let knows = false
  const seat: PresenceSeat = presence.join('team', topic, guest, ({ all, peers }) => {
    frames += 1
    lastPeers = peers.length
    if (all) view.clear()
    knows ||= all
    for (const { id, user, state } of peers) {
      if (!id.startsWith(`${user}/`)) throw new Error(`${id} is not of ${user}`)
      if (state.length === 0) view.delete(id)
      else view.set(id, new TextDecoder().decode(state))
    }
  })
  return {
    say: (peer, state) => seat.set(peer, new TextEncoder().encode(state)),
    ask: () => seat.ask(),
    leave() {
      seat.leave()
      left()
    },
    view,
    get frames() {
      return frames
    },
    get lastPeers() {
      return lastPeers
    },
    get knows() {
      return knows
    },
  }
}
