import { MAX_CLOCK_DRIFT_MS } from '@tidemark/core/entity'
import { MAX_PRESENCE_BYTES, type RelayLimits } from '@tidemark/core/protocol'

/** Every bound of the relay: what a client may send, and what it may cost. */
export interface Limits extends RelayLimits {
  /** Above this many bytes of unanswered operations a connection is not read on. */
  readonly maxInFlightBytes: number
  /** Above so many operations, bytes of them or reads that wait for the storage nobody is read on who sends more. */
  readonly maxQueuedOperations: number
  readonly maxQueuedBytes: number
  readonly maxQueuedReads: number
  /** Operations a second, and at once, by connection and by user over all connections; more are refused for now. */
  readonly operationsPerSecond: number
  readonly operationsBurst: number
  readonly userOperationsPerSecond: number
  readonly userOperationsBurst: number
  /** Frames a second, and at once; a frame counts once more for each 4 KiB. Above that a connection is not read on. */
  readonly framesPerSecond: number
  readonly framesBurst: number
  /** Bytes of catching up that one user gets a second, and at once; more comes later. */
  readonly catchUpBytesPerSecond: number
  readonly catchUpBurst: number
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
  /** How deep XML elements of one entity may nest. */
  readonly maxNesting: number
  /** Entities of one space, deleted ones among them. */
  readonly maxEntitiesPerSpace: number
  /** Connections in all, from one address, and of one user. */
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
  readonly maxConnectionsPerUser: number
  /** Connections that have not been welcomed yet; the oldest one of the address with the most goes first. */
  readonly maxHandshakes: number
  /** Connections that say hello, a second and at once; others are told when to come back. */
  readonly hellosPerSecond: number
  readonly hellosBurst: number
  /** Clients that a stop sends away come back within so long that no more than these come in a second. */
  readonly reconnectsPerSecond: number
  /** The longest that a client is sent away for, in milliseconds. */
  readonly maxSpread: number
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
  /** A connection for which something is buffered and that takes nothing of it for so long is cut, in milliseconds. */
  readonly maxStall: number
  /** With more than this buffered for all connections those with the most are cut, in bytes. */
  readonly maxBufferedInAll: number
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
  /** Size of the state of one peer, in bytes; larger ones are not taken, and the peer is not there. */
  readonly presenceStateBytes: number
  /** Size of the states of all peers behind one connection, in bytes. */
  readonly presenceBytes: number
  /** Topics that one connection may have joined. */
  readonly presenceTopics: number
  /** Peers that one connection may have on a topic: tabs of a device share a connection. */
  readonly presenceTabs: number
  /** Peers that a topic may have. */
  readonly presencePeers: number
  /** A topic is told of changes at most once in so many milliseconds. */
  readonly presenceTick: number
  /** What all topics together send in that time, in bytes. */
  readonly presenceTickBytes: number
  /** A peer that isn't said again for so many milliseconds is gone. */
  readonly presenceExpiry: number
}

const KIB = 1024
const MIB = 1024 * KIB

export const DEFAULT_LIMITS: Limits = {
  // 35 ms of validating at worst (16,384 elements; measured on Node 20). Yjs took 0.3 s for tiny structs (reliability S3, S4).
  maxFrameBytes: MIB,
  // Leaves room in a frame for 64 parts with names of full length.
  maxOperationBytes: MIB - 64 * KIB,
  // One batch: a lone client can keep a commit full.
  maxInFlight: 256,
  // Some batches of one connection; without it `maxInFlight` operations of full size would wait in memory.
  maxInFlightBytes: 4 * MIB,
  // Some 60 batches: what is decoded and waits, beside what waits in sockets.
  maxQueuedOperations: 16_384,
  maxQueuedBytes: 64 * MIB,
  maxQueuedReads: 65_536,
  // Typing makes 4 a second, and an import of 10,000 rows goes at once. A few busy connections fill the relay, not one.
  operationsPerSecond: 2_000,
  operationsBurst: 10_000,
  userOperationsPerSecond: 4_000,
  userOperationsBurst: 20_000,
  // Twice the operations. With the bytes that count as frames 16 MiB a second: 0.6 s of validating at worst.
  framesPerSecond: 4_000,
  framesBurst: 16_000,
  // A device that begins with 64 MiB has them at once; one that asks for everything over and over keeps no core busy.
  catchUpBytesPerSecond: 4 * MIB,
  catchUpBurst: 64 * MIB,
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
  // Half of where Chromium's HTML parser stops nesting, 128 lists in lists; Yjs overflows at some 5,000 (yjs-facts 5.4).
  maxNesting: 256,
  // Every device of the space holds a row of each, 0.8 kB: 160 MB.
  maxEntitiesPerSpace: 200_000,
  maxEntityBytes: 4 * MIB,
  // 6 kB of resident memory each while they are idle (measured): 60 MB, and what is buffered.
  maxConnections: 10_000,
  // An office behind one address; a tenth of all.
  maxConnectionsPerAddress: 1_024,
  // Programs that share a user; a person's devices and tabs are some dozens at most.
  maxConnectionsPerUser: 1_024,
  // Up to 16 KiB of headers each, some 5 kB in memory as measured (reliability S8, S9).
  maxHandshakes: 1_024,
  // One that has nothing to catch up costs a millisecond, one that reads 500 entities of 1 kB 20 ms (measured on Node 20).
  hellosPerSecond: 200,
  hellosBurst: 2_000,
  // A restart begins with cold caches: a core's worth of pages.
  reconnectsPerSecond: 50,
  maxSpread: 60_000,
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
  // Reliability S7.
  maxStall: 30_000,
  // What is told to everybody is buffered once for all; pages of catching up are not: 340 readers that stand still.
  maxBufferedInAll: 256 * MIB,
  // Three times what a device may be away by default (30 days), so that nobody who keeps to that ever notices.
  retention: 90 * 24 * 60 * 60_000,
  housekeepingInterval: 60 * 60_000,
  batchOperations: 256,
  batchBytes: MIB,
  presenceStateBytes: MAX_PRESENCE_BYTES,
  // Some thousand cursors.
  presenceBytes: 256 * KIB,
  // A board that shows who is at each of its cards.
  presenceTopics: 256,
  presenceTabs: 32,
  // More than anybody looks at; 4 MiB at worst.
  presencePeers: 1_024,
  // Twenty times a second looks like motion.
  presenceTick: 50,
  // 10 MiB a second at most. Some thousand short frames, which `ws` takes in about 10 ms: operations go in between.
  presenceTickBytes: 512 * KIB,
  // Clients say it every 30 s; Chromium lets a page that has been hidden for long do so once a minute.
  presenceExpiry: 90_000,
}
