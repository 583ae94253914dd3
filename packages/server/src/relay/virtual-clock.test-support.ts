import type { Clock } from '@tidemark/core'

/** A clock that stands still until a test moves it. */
export interface VirtualClock extends Clock {
  advance(milliseconds: number): void
  /** How many timers are set. */
  readonly timers: number
}

export function createVirtualClock(start = 1_700_000_000_000): VirtualClock {
  let now = start
  const timers = new Map<object, { readonly at: number; readonly callback: () => void }>()

  function nextDue(until: number): { readonly key: object; readonly at: number } | undefined {
    let due: { readonly key: object; readonly at: number } | undefined
    for (const [key, { at }] of timers) {
      if (at <= until && (due === undefined || at < due.at)) due = { key, at }
    }
    return due
  }

  return {
    now: () => now,
    get timers() {
      return timers.size
    },
    schedule(callback, milliseconds) {
      const key = {}
      timers.set(key, { at: now + milliseconds, callback })
      return () => timers.delete(key)
    },
    advance(milliseconds) {
      const until = now + milliseconds
      for (let due = nextDue(until); due !== undefined; due = nextDue(until)) {
        now = due.at
        const timer = timers.get(due.key)
        timers.delete(due.key)
        timer?.callback()
      }
      now = until
    },
  }
}
