import type { RejectCode } from '@tidemark/core/protocol'
import type { Limits } from './limits.js'

/**
 * What the relay counts as it happens. Names are of a fixed set: no user, no space, no address. What can be looked up
 * instead of counted is in `RelayStats`.
 */
export interface RelayMetrics {
  received(bytes: number): void
  sent(bytes: number): void
  judged(verdict: 'accepted' | 'known' | RejectCode): void
  /** A commit begins; call the result when it is on disk. */
  committing(): (operations: number) => void
  storageFailed(): void
  page(entities: number): void
  /** A connection ended; `code` is a close code of this relay's, or undefined when the other side ended it. */
  closed(code: number | undefined): void
  limitHit(limit: keyof Limits): void
}

export const NO_METRICS: RelayMetrics = {
  received: () => {},
  sent: () => {},
  judged: () => {},
  committing: () => () => {},
  storageFailed: () => {},
  page: () => {},
  closed: () => {},
  limitHit: () => {},
}

/** How things stand at this moment. */
export interface RelayStats {
  /** Connections that have not been welcomed yet, and those that have. */
  readonly greeting: number
  readonly open: number
  /** Spaces that somebody listens to. */
  readonly spaces: number
  /** Bytes that were sent and have not left this process. */
  readonly bufferedBytes: number
  /** Operations and reads that wait for the storage. */
  readonly queuedOperations: number
  readonly queuedReads: number
  readonly storageFailing: boolean
}
