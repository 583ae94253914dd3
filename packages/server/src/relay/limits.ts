import { MAX_CLOCK_DRIFT_MS } from '@tidemark/core/entity'
import type { RelayLimits } from '@tidemark/core/protocol'

/** Every bound of the relay: what a client may send, and what it may cost. */
export interface Limits extends RelayLimits {
  /** Above this many bytes of unanswered operations a connection is not read on. */
  readonly maxInFlightBytes: number
  /** Messages of any kind that may be unanswered on one connection. */
  readonly maxUnanswered: number
  /** Entities that one operation may change. A frame of one operation is decoded and judged in one go. */
  readonly maxParts: number
  /** Elements that one part may append, and ranges that it may delete. */
  readonly maxElements: number
  /** How far a stamp may be ahead of the relay's clock, in milliseconds [L7]. */
  readonly maxClockDrift: number
  /** Client ids that one entity may have. */
  readonly maxClientsPerEntity: number
  /** The same for one that a stock Yjs client ever joined: each page that writes takes one, and none is ever shed [L24]. */
  readonly maxClientsPerPinnedEntity: number
  /** An entity with more client ids gets a new document when it is compacted [L16]. */
  readonly renewAboveClients: number
  /** Size of one entity after compaction, in bytes. */
  readonly maxEntityBytes: number
  /** Spaces that one connection may have open. */
  readonly maxChannels: number
  /** Size of the first message, and of what may wait while it is being checked, in bytes. */
  readonly maxHelloBytes: number
  /** Time from the connection to the end of authentication, in milliseconds. */
  readonly helloDeadline: number
  /** Time for `authenticate` on an open connection, and for what it gave to tell a role, in milliseconds. */
  readonly authenticateDeadline: number
  /** Time for `authorize` to judge one operation, in milliseconds. */
  readonly authorizeDeadline: number
  /** Entities and bytes of one page of a catch-up. */
  readonly pageEntities: number
  readonly pageBytes: number
  /** A catch-up goes on once less than this is buffered, in bytes. */
  readonly pageLowWater: number
  /** A connection with more than this buffered is cut, in bytes. */
  readonly maxBufferedBytes: number
  /**
   * How long tombstones and the ids of operations are kept, in milliseconds. A device that was away for longer reads
   * everything anew, and what it has not sent by then may be refused.
   */
  readonly retention: number
  /** Time between two rounds of purging, in milliseconds. */
  readonly housekeepingInterval: number
  /** Operations and bytes that one commit takes. */
  readonly batchOperations: number
  readonly batchBytes: number
}

const KIB = 1024
const MIB = 1024 * KIB

export const DEFAULT_LIMITS: Limits = {
  // About 0.3 s of decoding at worst, a mebibyte of tiny structs (reliability S3, S4).
  maxFrameBytes: MIB,
  // Leaves room in a frame for 64 parts with names of full length.
  maxOperationBytes: MIB - 64 * KIB,
  // One batch: a lone client can keep a commit full.
  maxInFlight: 256,
  // Some batches of one connection; without it `maxInFlight` operations of full size would wait in memory.
  maxInFlightBytes: 4 * MIB,
  // Opening every channel in one go, with fates and some operations.
  maxUnanswered: 4_096,
  maxParts: 64,
  // An element takes some 50 bytes: what fits into an operation, no more.
  maxElements: 16_384,
  // What devices believe of each other's times, too: a relay that takes more makes them disregard each other.
  maxClockDrift: MAX_CLOCK_DRIFT_MS,
  // Every Yjs transaction costs O(client ids): 1,000 cost 0.2 ms (design §3; reliability S17).
  maxClientsPerEntity: 1_024,
  // 10,000 cost 5 ms in every transaction of an open document: slow, but better than to turn a page away.
  maxClientsPerPinnedEntity: 8_192,
  // Twelve bytes each in every copy, and O(client ids) in every transaction of an open document.
  renewAboveClients: 64,
  maxEntityBytes: 4 * MIB,
  maxChannels: 1_024,
  // Reliability S9.
  maxHelloBytes: 8 * KIB,
  helloDeadline: 5_000,
  authenticateDeadline: 5_000,
  // Well below what a client waits for an answer (30 s), and below what a stop waits for (5 s).
  authorizeDeadline: 3_000,
  pageEntities: 256,
  pageBytes: 256 * KIB,
  // Two pages on their way keep a link busy; more would only wait in memory.
  pageLowWater: 512 * KIB,
  // Reliability S7.
  maxBufferedBytes: 8 * MIB,
  // Three times what a device may be away by default (30 days), so that nobody who keeps to that ever notices.
  retention: 90 * 24 * 60 * 60_000,
  housekeepingInterval: 60 * 60_000,
  batchOperations: 256,
  batchBytes: MIB,
}
