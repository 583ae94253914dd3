import type { Peer } from '../protocol/index.js'

/** What tabs of one device tell each other of presence: one of them has the link for all. */
export type PresenceTabMessage =
  /** To the tab with the link: another one is on a topic. Said again now and then, or that tab is taken for dead. */
  | {
      readonly type: 'present'
      readonly topic: string
      /** The name of the tab. */
      readonly peer: string
      /** Empty: it only listens. Undefined: it is there no longer. */
      readonly state: Uint8Array | undefined
      /** It wants to be told everybody. */
      readonly ask: boolean
    }
  /** From the tab with the link, as the relay said it. */
  | {
      readonly type: 'peers'
      readonly topic: string
      readonly all: boolean
      readonly peers: readonly Peer[]
    }
