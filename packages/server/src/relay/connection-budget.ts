import type { Clock } from '@tidemark/core'
import type { Limits } from './limits.js'
import type { Reading } from './reading.js'
import { createTokenBucket } from './token-bucket.js'
import type { UserBudgets } from './user-budgets.js'
import { type Rejection, retryLater } from './verdict.js'

/** Bytes of a frame that count as another one. */
const FRAME_BYTES = 4 * 1024
/** What takes the relay work in proportion to stored bytes counts as an operation for each of these. */
const BYTES_PER_TOKEN = 1024
/** What reading a page takes beside its bytes: the query, and each entity's row. */
const PAGE_COST = 16 * 1024
const ENTITY_COST = 256

/** What one connection may still cost. Whatever is above it waits or is refused for now; nothing is closed. */
export interface ConnectionBudget {
  /** A frame arrived. Above the rate the connection isn't read on until it is paid for. */
  frame(bytes: number): void
  /** The refusal for an operation that is one too many; undefined for one that is taken. */
  operation(user: string): Rejection | undefined
  /** The relay had work with an operation, as much as `bytes` of stored data make. */
  worked(user: string, bytes: number): void
  page(user: string, entities: number, bytes: number): void
  /** Milliseconds until the next page. */
  untilPage(user: string): number
  end(): void
}

export interface ConnectionBudgetOptions {
  readonly limits: Limits
  readonly clock: Clock
  readonly users: UserBudgets
  readonly reading: Reading
  readonly limitHit: (limit: keyof Limits) => void
}

export function createConnectionBudget(options: ConnectionBudgetOptions): ConnectionBudget {
  const { limits, clock, users, reading, limitHit } = options
  const start = clock.now()
  const frames = createTokenBucket(
    { perSecond: limits.framesPerSecond, burst: limits.framesBurst },
    start,
  )
  const operations = createTokenBucket(
    { perSecond: limits.operationsPerSecond, burst: limits.operationsBurst },
    start,
  )
  let cancel: (() => void) | undefined

  function goOn(): void {
    const wait = frames.wait(clock.now())
    cancel = wait === 0 ? undefined : clock.schedule(goOn, wait)
    if (wait === 0) reading.release('frames')
  }

  return {
    frame(bytes) {
      const now = clock.now()
      frames.take(1 + Math.floor(bytes / FRAME_BYTES), now)
      if (cancel !== undefined || frames.wait(now) === 0) return
      limitHit('framesPerSecond')
      reading.hold('frames')
      goOn()
    },
    operation(user) {
      const now = clock.now()
      const shared = users.of(user).operations
      const [own, all] = [operations.wait(now), shared.wait(now)]
      if (own > 0 || all > 0) {
        limitHit(own > 0 ? 'operationsPerSecond' : 'userOperationsPerSecond')
        return retryLater(
          'rate-limited',
          'Too many operations; try again later.',
          Math.max(own, all),
        )
      }
      operations.take(1, now)
      shared.take(1, now)
      return undefined
    },
    worked: (user, bytes) => users.of(user).operations.take(bytes / BYTES_PER_TOKEN, clock.now()),
    page: (user, entities, bytes) =>
      users.of(user).catchUp.take(PAGE_COST + entities * ENTITY_COST + bytes, clock.now()),
    untilPage(user) {
      const wait = users.of(user).catchUp.wait(clock.now())
      if (wait > 0) limitHit('catchUpBytesPerSecond')
      return wait
    },
    end: () => cancel?.(),
  }
}
