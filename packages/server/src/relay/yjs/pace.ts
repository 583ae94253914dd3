import type { Cancel, Clock } from '@tidemark/core'

/** So many at once and then one an interval; of those that have to wait, only the last one passes. */
export interface Pace {
  pass(work: () => void): void
  stop(): void
}

export function createPace(
  clock: Clock,
  { burst, intervalMs }: { readonly burst: number; readonly intervalMs: number },
): Pace {
  let passes = burst
  let refilledAt = clock.now()
  let next: (() => void) | undefined
  let cancel: Cancel = () => {}

  function refill(): void {
    const earned = Math.floor((clock.now() - refilledAt) / intervalMs)
    if (earned <= 0) return
    passes = Math.min(burst, passes + earned)
    refilledAt += earned * intervalMs
  }

  function open(): void {
    refill()
    if (passes === 0) {
      cancel = clock.schedule(open, Math.max(1, refilledAt + intervalMs - clock.now()))
      return
    }
    const work = next
    next = undefined
    passes -= 1
    work?.()
  }

  return {
    pass(work) {
      const isWaiting = next !== undefined
      next = work
      if (!isWaiting) open()
    },
    stop() {
      next = undefined
      cancel()
    },
  }
}
