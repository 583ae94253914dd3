import { decodeContent, MAX_CLOCK_DRIFT_MS, mergeUpdates } from '@tidemark/core/entity'
import type { MemoryDisk } from '@tidemark/server'
import type { SeededRandom } from './random.js'
import type { Scheduler } from './scheduler.js'

/** The clock of one machine: virtual time as somebody has set it. Timers run on virtual time all the same. */
export interface WrongClock {
  now(): number
  /** Milliseconds that it is ahead; may be changed at any time. */
  ahead: number
}

export function createWrongClock(scheduler: Scheduler): WrongClock {
  const clock = { ahead: 0, now: () => scheduler.now + clock.ahead }
  return clock
}

const MINUTE_MS = 60_000
const TEN_YEARS_MS = 10 * 365 * 24 * 60 * MINUTE_MS

/** Where a clock may stand: right, a little off, about as much as is allowed, or off by years. */
export function wrongness(random: SeededRandom): number {
  const most = random.pick([0, 50, 2 * MAX_CLOCK_DRIFT_MS, TEN_YEARS_MS, TEN_YEARS_MS])
  return Math.round((random.unit() * 2 - 1) * most)
}

/** Where a relay's clock may stand: servers are looked after. */
export function relayWrongness(random: SeededRandom): number {
  return Math.round((random.unit() * 2 - 1) * 60 * MINUTE_MS)
}

/**
 * What is wrong with the stamps that a relay holds; undefined when nothing is.
 *
 * @param latest the latest time, in milliseconds, that the relay's clock has ever told
 */
export function stampViolation(
  disk: MemoryDisk,
  space: string,
  latest: number,
): string | undefined {
  for (const { ref, head, snapshot, updates } of disk.spaces.get(space)?.entities.values() ?? []) {
    const seen = new Set<string>()
    const { live } = decodeContent(
      mergeUpdates([snapshot, ...updates].flatMap((row) => row?.bytes ?? [])),
    )
    for (const { lastModified, actor } of live) {
      const stamp = `${lastModified} ${actor}`
      if (seen.has(stamp)) return `[L1] ${ref.id} has two elements with the stamp ${stamp}`
      seen.add(stamp)
    }
    // What goes on from something confirmed may be later by some microseconds; a second is far more than all of them.
    const ahead = (head?.lastModified ?? 0) / 1000 - latest - MAX_CLOCK_DRIFT_MS
    if (ahead > 1000) return `[L7] ${ref.id} was modified ${ahead} ms later than could be`
  }
  return undefined
}
