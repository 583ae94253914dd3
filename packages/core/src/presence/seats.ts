import type { ClientMessage } from '../protocol/index.js'
import type { PresenceTabMessage } from './tab-message.js'

/** What the tab with the link says to the relay for all tabs of the device. Lives as long as that link. */
export interface Seats {
  /** A tab is on a topic, or isn't any longer. */
  take(place: Place): void
  /** Whether another tab than that one is on a topic. */
  hasOther(topic: string, peer: string): boolean
  /** Forgets tabs that have not been heard for long. */
  age(): void
  readonly size: number
}

/** Calls of `age` that a tab may be silent for. Chromium lets a hidden page work once a minute: two of them. */
const MAX_AGE = 4
/** Sent for a tab that only listens, or is there no longer. */
export const NOTHING: Uint8Array = new Uint8Array()

type Place = Omit<Extract<PresenceTabMessage, { readonly type: 'present' }>, 'type'>

export function createSeats(channel: number, send: (message: ClientMessage) => void): Seats {
  /** By topic and tab, how often `age` was called since it was heard. */
  const topics = new Map<string, Map<string, number>>()

  function take({ topic, peer, state, ask }: Place): void {
    const known = topics.get(topic)
    const tabs = known ?? new Map<string, number>()
    if (state !== undefined) {
      topics.set(topic, tabs.set(peer, 0))
      if (ask || known === undefined) send({ type: 'join', channel, topic })
    } else if (tabs.delete(peer) && tabs.size === 0) {
      topics.delete(topic)
      send({ type: 'leave', channel, topic })
      return
    }
    send({ type: 'presence', channel, topic, peer, state: state ?? NOTHING })
  }

  return {
    take,
    hasOther: (topic, peer) => [...(topics.get(topic)?.keys() ?? [])].some((tab) => tab !== peer),
    age() {
      for (const [topic, tabs] of topics) {
        for (const [peer, age] of tabs) {
          if (age < MAX_AGE) tabs.set(peer, age + 1)
          else take({ topic, peer, state: undefined, ask: false })
        }
      }
    },
    get size() {
      return topics.size
    },
  }
}
