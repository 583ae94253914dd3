import type { Cancel, Clock } from '@tidemark/core'

interface Event {
  readonly time: number
  readonly order: number
  readonly run: () => void
}

/**
 * Virtual time: one event after the other, each followed by everything that it sets in motion. Nothing in a simulation
 * happens by itself.
 */
export interface Scheduler {
  readonly now: number
  /** Runs `action` after `milliseconds` of virtual time. */
  after(milliseconds: number, action: () => void): Cancel
  /** A promise that resolves after `milliseconds` of virtual time. */
  pause(milliseconds: number): Promise<void>
  clock: Clock
  /** Runs events until `done` says so after one of them; false when `milliseconds` of virtual time have passed first. */
  runUntil(done: () => boolean, milliseconds: number): Promise<boolean>
  /** How many events have run; differs between runs that took different courses. */
  readonly events: number
}

/** A Friday in 2026: real stores see real dates. */
const START_MS = Date.UTC(2026, 10, 20)

export function createScheduler(): Scheduler {
  let now = START_MS
  let order = 0
  let events = 0
  const queue: Event[] = []

  function after(milliseconds: number, run: () => void): Cancel {
    order += 1
    const event = { time: now + Math.max(0, milliseconds), order, run }
    insert(queue, event)
    return () => {
      const index = queue.indexOf(event)
      if (index >= 0) queue.splice(index, 1)
    }
  }

  return {
    get now() {
      return now
    },
    get events() {
      return events
    },
    after,
    pause: (milliseconds) => new Promise((resolve) => after(milliseconds, resolve)),
    clock: { now: () => now, schedule: (callback, milliseconds) => after(milliseconds, callback) },
    async runUntil(done, milliseconds) {
      const end = now + milliseconds
      await settle()
      while (!done()) {
        const next = queue[0]
        if (next === undefined || next.time > end) return false
        queue.shift()
        now = next.time
        events += 1
        next.run()
        await settle()
      }
      return true
    },
  }
}

/** Lets every promise chain that can go on do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Keeps the queue sorted by time; among equals, first come first served. */
function insert(queue: Event[], event: Event): void {
  let low = 0
  let high = queue.length
  while (low < high) {
    const middle = (low + high) >> 1
    const other = queue[middle] as Event
    if (other.time < event.time || (other.time === event.time && other.order < event.order)) {
      low = middle + 1
    } else {
      high = middle
    }
  }
  queue.splice(low, 0, event)
}
