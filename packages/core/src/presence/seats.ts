import type { ClientMessage } from '../protocol/index.js'
import type { PresenceTabMessage } from './tab-message.js'

/** What the tab with the link says to the relay for all tabs of the device. Lives as long as that link. */
export interface Seats {
  /** A tab is on a topic, or isn't any longer. */
  take(message: Extract<PresenceTabMessage, { readonly type: 'present' }>): void
  /** Whether another tab than that one is on a topic. */
  hasOther(topic: string, peer: string): boolean
  /** Forgets tabs that have not been heard for long. */
  age(): void
  readonly size: number
}

/** Calls of `age` that a tab may be silent for. Chromium lets a hidden page work once a minute: two of them. */
const MAX_AGE = 4
const NOTHING = new Uint8Array()

export function createSeats(channel: number, send: (message: ClientMessage) => void): Seats {
  const topics = new Map<string, Map<string, { readonly isThere: boolean; age: number }>>()

  const seats: Seats = {
    take({ topic, peer, state, ask }) {
      const known = topics.get(topic)
      const tabs = known ?? new Map<string, { readonly isThere: boolean; age: number }>()
      const wasThere = tabs.get(peer)?.isThere
      if (state !== undefined) {
        topics.set(topic, tabs)
        tabs.set(peer, { isThere: state.length > 0, age: 0 })
        if (ask || known === undefined) send({ type: 'join', channel, topic })
      } else if (tabs.delete(peer) && tabs.size === 0) {
        topics.delete(topic)
        send({ type: 'leave', channel, topic })
        return
      }
      if (wasThere || state?.length)
        send({ type: 'presence', channel, topic, peer, state: state ?? NOTHING })
    },
    hasOther: (topic, peer) => [...(topics.get(topic)?.keys() ?? [])].some((tab) => tab !== peer),
    age() {
      for (const [topic, tabs] of topics) {
        for (const [peer, tab] of tabs) {
          tab.age += 1
          if (tab.age > MAX_AGE) {
            seats.take({ type: 'present', topic, peer, state: undefined, ask: false })
          }
        }
      }
    },
    get size() {
      return topics.size
    },
  }
  return seats
}
