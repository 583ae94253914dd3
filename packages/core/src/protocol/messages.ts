/** One entity's share of an operation. */
export interface OperationPart {
  readonly collection: string
  readonly id: string
  /** Whether the author made the entity or knew it [L23]. */
  readonly kind: 'create' | 'update'
  /** The life of the entity's document that the update was written against [L16]. */
  readonly generation: string
  /** The entity's modification counter with this operation. */
  readonly sequence: number
  /** Hybrid-logical time of this operation on the entity, microseconds since the epoch. */
  readonly lastModified: number
  /** Yjs update, format v1. */
  readonly update: Uint8Array
}

export interface WireOperation {
  /** UUIDv7. Idempotency key, for ever. */
  readonly id: string
  readonly parts: readonly OperationPart[]
}

/** An entity as a whole, for catching up. */
export interface EntityState {
  readonly collection: string
  readonly id: string
  readonly generation: string
  /** The space sequence that last changed it. */
  readonly confirmedSequence: number
  readonly sequence: number
  readonly lastModified: number
  /** Yjs update, format v1: the whole document. */
  readonly bytes: Uint8Array
}

/** What became of an operation that was sent once. Ids that are not listed were never accepted. */
export interface Fate {
  readonly id: string
  readonly sequence: number
  readonly digest: Uint8Array
}

/** The name of an entity in its space. */
export interface EntityName {
  readonly collection: string
  readonly id: string
}

/** Somebody who is present on a topic: one tab of one user. */
export interface Peer {
  /** Given by the relay: `<user>/<the name that the tab has given itself>`, so that nobody else's tab can have it. */
  readonly id: string
  /** As the relay authenticated it. */
  readonly user: string
  /** JSON in UTF-8; empty when the peer is gone. */
  readonly state: Uint8Array
}

/** What a user may do in a space; each includes the one before. */
export type Role = 'read' | 'write' | 'admin'

export interface RelayLimits {
  /** The largest frame that the relay takes, in bytes. */
  readonly maxFrameBytes: number
  /** The largest operation, over all of its parts, in bytes. */
  readonly maxOperationBytes: number
  /** How many pushed operations may be unanswered on one connection. */
  readonly maxInFlight: number
}

/** Why a relay refuses an operation. Stable: apps and docs name them. */
export type RejectCode =
  /** Malformed, or not what the schema allows. */
  | 'invalid'
  /** The user may not do that. */
  | 'forbidden'
  /** Larger than a limit. */
  | 'too-large'
  /** The entity is unknown here, or was deleted and made anew since [L23]. */
  | 'gone'
  /** Written on a document that has been renewed; the new one is on its way, or here. Costs no attempt [L16]. */
  | 'generation'
  /** Its predecessor is missing; send that first. Costs no attempt [L20]. */
  | 'gap'
  /** The relay's store does not take writes now. */
  | 'unavailable'
  /** Too many operations at once. */
  | 'rate-limited'
  /** A time in it is too far ahead of the relay's clock: correct the clock, stamp it again, send it again [L7]. */
  | 'drift'

/** Client to relay. `channel` is a number that the client chose for a space in `open`. */
export type ClientMessage =
  | {
      readonly type: 'hello'
      readonly protocol: number
      readonly user: string
      /** Empty where the relay asks for none. */
      readonly token: string
      /** The device's database; names it in actors and owns its Yjs client ids. */
      readonly replica: string
    }
  | { readonly type: 'open'; readonly channel: number; readonly space: string }
  | { readonly type: 'fates'; readonly channel: number; readonly ids: readonly string[] }
  | {
      readonly type: 'subscribe'
      readonly channel: number
      /** Entities with a later sequence are wanted. */
      readonly since: number
      /** The client takes what it reads for all that there is: a `since` before the purge horizon does no harm [L23]. */
      readonly fresh: boolean
    }
  | { readonly type: 'push'; readonly channel: number; readonly operation: WireOperation }
  /**
   * What the relay has lost, or what was made for a former life of its database: structs of others may be in it, vouched
   * for by the sender, and what the relay has already [L22].
   */
  | { readonly type: 'handBack'; readonly channel: number; readonly operation: WireOperation }
  | { readonly type: 'ping'; readonly nonce: number }
  /** A new token for the open connection, of the same user. */
  | { readonly type: 'auth'; readonly token: string }
  /** `topic` is empty for the space, or `<collection>/<id>`. Answered with everybody who is there, each time that it is said. */
  | { readonly type: 'join'; readonly channel: number; readonly topic: string }
  | { readonly type: 'leave'; readonly channel: number; readonly topic: string }
  | {
      readonly type: 'presence'
      readonly channel: number
      readonly topic: string
      /** Which tab this is: several share a connection. Random, and kept over reconnects. */
      readonly peer: string
      /** JSON in UTF-8; empty to be there no longer. */
      readonly state: Uint8Array
    }

/** Relay to client. */
export type RelayMessage =
  | {
      readonly type: 'welcome'
      readonly protocol: number
      /** The identity of this life of the relay's database [L22]. */
      readonly epoch: string
      /** Milliseconds since the epoch. */
      readonly serverTime: number
      readonly user: string
      readonly limits: RelayLimits
      /** Milliseconds since the epoch; 0: never. The connection ends then, unless `auth` brought another token. */
      readonly tokenExpiresAt: number
    }
  | {
      readonly type: 'opened'
      readonly channel: number
      readonly head: number
      readonly role: Role
    }
  | { readonly type: 'fates'; readonly channel: number; readonly fates: readonly Fate[] }
  | { readonly type: 'page'; readonly channel: number; readonly entities: readonly EntityState[] }
  | {
      readonly type: 'caughtUp'
      readonly channel: number
      readonly sequence: number
      /** Tombstones up to this sequence have been purged; 0: none [L23]. */
      readonly horizon: number
    }
  /** Tombstones up to `horizon` are purged now. */
  | { readonly type: 'purged'; readonly channel: number; readonly horizon: number }
  | {
      readonly type: 'changes'
      readonly channel: number
      readonly sequence: number
      readonly operation: WireOperation
    }
  | {
      readonly type: 'renewed'
      readonly channel: number
      readonly sequence: number
      /** The same values in a new document [L16]; what waits for the old one is said again on it. */
      readonly entity: EntityState
    }
  | {
      readonly type: 'ack'
      readonly channel: number
      readonly id: string
      readonly sequence: number
      /** `operationDigest` of the bytes that were accepted; only those enter the snapshot [L10]. */
      readonly digest: Uint8Array
    }
  | {
      readonly type: 'reject'
      readonly channel: number
      readonly id: string
      readonly code: RejectCode
      readonly message: string
      readonly retryable: boolean
      /** Milliseconds to wait at least, for retryable ones. */
      readonly retryAfter: number
      /** Milliseconds since the epoch: the device's clock may have been set since the `welcome` [L7]. */
      readonly serverTime: number
    }
  | {
      readonly type: 'pong'
      readonly nonce: number
      /** Milliseconds since the epoch. */
      readonly serverTime: number
    }
  | { readonly type: 'authenticated'; readonly tokenExpiresAt: number }
  /** Who came, changed or left. */
  | {
      readonly type: 'presence'
      readonly channel: number
      readonly topic: string
      /** What follows is everybody; whoever isn't named again is gone. */
      readonly all: boolean
      readonly peers: readonly Peer[]
    }
  /** The checkpoint is older than the purge horizon: everything follows, and what doesn't is gone [L23]. */
  | { readonly type: 'reset'; readonly channel: number }
  /** The relay's copies of these are damaged: whoever has them is asked to hand them back. */
  | { readonly type: 'wanted'; readonly channel: number; readonly entities: readonly EntityName[] }
  /** The connection is about to be closed: come back at a random time within `spread` milliseconds. */
  | { readonly type: 'goodbye'; readonly spread: number }

/**
 * The largest state of a peer, in bytes. A cursor with its selection and a name takes some 200; each state is sent to everybody
 * on the topic with each change.
 */
export const MAX_PRESENCE_BYTES = 4096

/** What a tab may call itself in `presence`. */
export const PEER_NAME: RegExp = /^[A-Za-z0-9_-]{1,32}$/

/** Websocket close codes: 44xx need a person or a new version, everything else is tried again. */
export const CLOSE_CODES = {
  /** A frame that isn't of the protocol. */
  protocolViolation: 4400,
  /** The token is missing, wrong or expired. */
  unauthorized: 4401,
  /** The user may not open that space. */
  forbidden: 4403,
  /** No hello came in time: the network is slow, or it was no client. Tried again. */
  greetingTimeout: 4501,
  /** The reader was too slow; it catches up by sequence. Tried again. */
  slowReader: 4508,
  /** Another protocol version. */
  incompatible: 4426,
  /** The relay stops or restarts (RFC 6455 "service restart"). Tried again. */
  restarting: 1012,
  /** The relay is overloaded (RFC 6455 "try again later"). Tried again. */
  overloaded: 1013,
} as const

/** True when connecting again by itself can't help. */
export function isPermanentClose(code: number): boolean {
  return code >= 4400 && code < 4500
}
