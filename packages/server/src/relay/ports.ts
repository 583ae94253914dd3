import type { Clock } from '@tidemark/core'
import type { Log } from '../log.js'
import type { RelayStorage } from '../storage/index.js'
import type { Limits } from './limits.js'
import type { RelayMetrics, RelayStats } from './metrics.js'

/**
 * The relay's end of one link to a client.
 *
 * Contract: `send` never blocks and never throws; frames arrive whole and in order, or the link is closed. After
 * `close` nothing is delivered in either direction.
 */
export interface RelayConnection {
  send(frame: Uint8Array): void
  /** `reason` is shown to a person, and goes on the wire as at most 123 bytes (RFC 6455, 5.5). */
  close(code: number, reason: string): void
  /** Bytes that were sent and have not left this process. */
  readonly bufferedBytes: number
  /** Stops and starts reading, where the link can do that: what isn't read waits at the sender. */
  pause?(): void
  resume?(): void
  /** The client has proven who it is. */
  welcomed?(): void
  readonly remoteAddress?: string | undefined
}

/** What the link calls. Neither method throws. */
export interface RelaySession {
  receive(frame: Uint8Array): void
  /** The link is gone; called at most once, and nothing after it. `code` is its close code. */
  closed(code?: number): void
}

export interface Credentials {
  readonly user: string
  readonly token: string
  readonly replica: string
  readonly remoteAddress: string | undefined
}

/** Answers with the id of the user that the credentials prove, or with undefined for nobody. */
export type Authenticate = (
  credentials: Credentials,
) => string | undefined | Promise<string | undefined>

export interface RelayOptions {
  readonly storage: RelayStorage
  readonly clock: Clock
  /** A string that no other call ever gives, fit for logs. */
  readonly randomId: () => string
  readonly limits?: Partial<Limits>
  /** Without it every client is who it says: for loopback, and behind something that checks. */
  readonly authenticate?: Authenticate
  readonly log?: Log
  readonly metrics?: RelayMetrics
}

export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly reason: 'storage-failing' | 'stopping' }

export interface Relay {
  connect(connection: RelayConnection): RelaySession
  /** Whether operations are taken now. */
  ready(): Readiness
  stats(): RelayStats
  /** Takes nothing new, answers what was received, then tells clients when to come back, and closes every connection with `restarting`. */
  stop(): Promise<void>
}

/** The writer of an operation, as the relay authenticated it. */
export interface Author {
  readonly user: string
  readonly replica: string
}
