import type { Clock } from '@tidemark/core'
import type { Log } from '../log.js'
import type { RelayStorage } from '../storage/index.js'

const FIRST_PROBE_MS = 250
const LAST_PROBE_MS = 15_000

/**
 * Whether the storage takes commits. After a failure nothing is tried on behalf of clients until a commit of the
 * relay's own has gone through; the probes back off.
 */
export interface StoreHealth {
  isFailing(): boolean
  /** Milliseconds until the next probe, about: how long a client had better wait. */
  retryAfter(): number
  fail(error: unknown): void
  stop(): void
}

export interface StoreHealthOptions {
  readonly storage: RelayStorage
  readonly clock: Clock
  readonly log: Log
  /** Called after a commit has worked again and before anything is tried on behalf of clients. */
  readonly recover: () => Promise<void>
}

export function createStoreHealth({
  storage,
  clock,
  log,
  recover,
}: StoreHealthOptions): StoreHealth {
  let failing = false
  let delay = FIRST_PROBE_MS
  let stopped = false
  let cancel = (): void => {}

  function scheduleProbe(): void {
    if (stopped) return
    cancel = clock.schedule(() => void probe(), delay)
  }

  async function probe(): Promise<void> {
    try {
      await storage.transaction((tx) => tx.probe())
      await recover()
      failing = false
      delay = FIRST_PROBE_MS
      log.info({}, 'the storage takes commits again')
    } catch (error) {
      delay = Math.min(delay * 2, LAST_PROBE_MS)
      log.error({ err: error, retryAfter: delay }, 'the storage still fails')
      scheduleProbe()
    }
  }

  return {
    isFailing: () => failing,
    retryAfter: () => delay,
    fail(error) {
      log.error(
        { err: error, retryAfter: delay },
        'a commit failed; operations are refused until one works',
      )
      if (failing) return
      failing = true
      scheduleProbe()
    },
    stop() {
      stopped = true
      cancel()
    },
  }
}
