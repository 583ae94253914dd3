import type { Clock, Schema } from '@tidemark/core'
import type { Peer, Role } from '@tidemark/core/protocol'
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

/**
 * Roles by the name of a space, `*` for all that aren't named; or a function that is asked when a space is opened, and has
 * `authenticateDeadline` for its answer. A space without a role can't be opened.
 */
export type SpaceRoles =
  | Readonly<Record<string, Role>>
  | ((space: string) => Role | undefined | Promise<Role | undefined>)

/** What credentials prove. */
export interface Identity {
  readonly user: string
  /** Milliseconds since the epoch. The connection is closed with 4401 then, unless `auth` has brought a later one. */
  readonly expiresAt?: number | undefined
  /** Milliseconds since the epoch. What was issued before a `revoke` of its user no longer counts. */
  readonly issuedAt?: number | undefined
  /** Milliseconds, 1,000 at least. So long after each answer the relay asks again, with the same credentials. */
  readonly recheckAfter?: number | undefined
  /** Without it the user may read and write every space. */
  readonly spaces?: SpaceRoles | undefined
}

/** The id of a user who may read and write every space, or more about them; undefined: nobody. */
export type Proof = string | Identity | undefined

/** Says what credentials prove. Throwing says nothing about them: the client is sent away to try again. */
export type Authenticate = (credentials: Credentials) => Proof | Promise<Proof>

/** An entity's values by field, frozen. What nobody wrote is missing, and so are empty sets and counters at 0. */
export type EntityValues = Readonly<Record<string, unknown>> & {
  readonly id: string
  /** When it was deleted, in milliseconds since the epoch. Its values are still there, underneath. */
  readonly $deleted?: number
}

/** What one operation does to one entity. */
export interface EntityChange {
  /** The operation's id. Its other entities are judged by calls of their own; all have to be allowed. */
  readonly operation: string
  readonly space: string
  /** The user's role there. */
  readonly role: Role
  readonly collection: string
  readonly id: string
  /** `handBack`: a device brings back what the relay has lost, with what others wrote in it. */
  readonly kind: 'create' | 'update' | 'delete' | 'restore' | 'handBack'
  /** The fields that are written, also where another value shows: one that was written later. Texts, lists and XML aren't among them. */
  readonly fields: readonly string[]
}

/**
 * Says whether a user may make a change: true, or false or a reason for a person. Called for each entity of an operation;
 * `before` is undefined for one that has never been. It may be called again for the same operation, so it changes nothing
 * itself. Throwing, or taking longer than `authorizeDeadline`, is no answer: the client tries again later.
 */
export type Authorize = (
  user: string,
  change: EntityChange,
  before: EntityValues | undefined,
  after: EntityValues,
) => boolean | string | Promise<boolean | string>

/** What a stock client says when it connects. */
export interface YjsRequest {
  /** As it stands in the request, without parameters. */
  readonly path: string
  readonly token: string
  /** Who it says it is; undefined: whoever the token says. */
  readonly user: string | undefined
}

export interface RelayOptions {
  readonly storage: RelayStorage
  readonly clock: Clock
  /** A string that no other call ever gives, fit for logs. */
  readonly randomId: () => string
  /** A UUIDv7 that no other call gives, for operations that stock Yjs clients make. Default: `randomId`. */
  readonly operationId?: () => string
  readonly limits?: Partial<Limits>
  /** Without it every client is who it says: for loopback, and behind something that checks. */
  readonly authenticate?: Authenticate | undefined
  /** Judges every change of an entity before it is stored. */
  readonly authorize?: Authorize | undefined
  /** What entities have to fit into; collections that aren't in it are refused. */
  readonly schema?: Schema | undefined
  readonly log?: Log
  readonly metrics?: RelayMetrics
}

export interface Revocation {
  readonly user: string
  /** Only what they may do there. */
  readonly space?: string
}

export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly reason: 'storage-failing' | 'stopping' }

/** One connection, for somebody who looks at a running relay. */
export interface ConnectionSummary {
  readonly user: string
  readonly replica: string
  readonly remoteAddress: string | undefined
  /** Milliseconds since the epoch. */
  readonly since: number
  readonly spaces: readonly { readonly space: string; readonly role: Role | undefined }[]
  /** Bytes that wait for the reader. */
  readonly bufferedBytes: number
  /** Messages that were received and not answered. */
  readonly unanswered: number
}

/** Somebody who has proved who they are. */
export interface Visitor {
  readonly user: string
  /** @throws Error, or rejects, when it can't be told now */
  roleIn(space: string): Role | undefined | Promise<Role | undefined>
}

export interface Relay {
  connect(connection: RelayConnection): RelaySession
  /** For those who are present without a session: the bridge to the awareness of stock Yjs clients. */
  readonly presence: PresencePort
  /** The same for a stock Yjs client, which speaks the protocol of y-websocket about one entity. */
  connectYjs(connection: RelayConnection, request: YjsRequest): RelaySession
  /** Checks credentials as those of a connection, for what comes another way; undefined: nobody. @throws Error when nobody can tell */
  identify(credentials: Credentials): Promise<Visitor | undefined>
  /** Those that have said hello. */
  connections(): readonly ConnectionSummary[]
  /**
   * Closes the user's connections now, with 4401; with a space those that have it open, with 4403. What was issued until
   * now (`issuedAt`) proves nothing any more, there or at all, until the process ends; what says no `issuedAt` is left to
   * `authenticate`.
   */
  revoke(revocation: Revocation): void
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

/** Something that was told about a topic. */
export interface PresenceNews {
  /** A list of everybody begins: whoever was known before and isn't named in it, or in what comes after it, is gone. */
  readonly all: boolean
  /** The state of each as it is now; empty: it is gone. Others stay as they were. */
  readonly peers: readonly Peer[]
  /** The same as a `presence` message. Encoded once for all who use that channel number. */
  frame(channel: number): Uint8Array
}

/** One connection that takes part. The sizes of its states are counted over all of its topics. */
export interface PresenceGuest {
  /** As it was authenticated: what makes it impossible to be present as somebody else. */
  readonly user: string
  /** Bytes that were sent to it and have not left. While they are many it is told nothing, and afterwards everything. */
  readonly bufferedBytes: number
}

/**
 * Who is present on the topics of spaces.
 *
 * Contract: whoever has joined a topic is told everybody who is there, its own peers too, and then what changes, at most once a
 * tick and never from inside of a call. Each peer is named by its guest; its id is `<user>/<name>`, and the same user may take it
 * over from another seat. A state is JSON in UTF-8 (nobody here looks into it) and has to be said again, changed or not, more
 * often than every `presenceExpiry` milliseconds, or the peer is gone. What is above a limit is not taken, and that peer is not
 * there; nothing is thrown. Nothing is stored.
 */
export interface PresencePort {
  /**
   * @param space has been opened by the guest: permission is not looked at here.
   * @param topic '' for the space, or `<collection>/<id>`.
   * @param tell never throws.
   */
  join(
    space: string,
    topic: string,
    guest: PresenceGuest,
    tell: (news: PresenceNews) => void,
  ): PresenceSeat
}

/** A guest's place on a topic. After `leave` nothing has an effect, and nothing is told. */
export interface PresenceSeat {
  /** Is told everybody again. */
  ask(): void
  /** @param peer 1 to 32 letters, digits, `_` and `-`. @param state empty: that peer is gone. */
  set(peer: string, state: Uint8Array): void
  /** Its peers leave with it. */
  leave(): void
}
