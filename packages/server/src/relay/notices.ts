import type { Clock } from '@tidemark/core'
import type { Log } from '../log.js'
import type { Limits } from './limits.js'
import type { RelayMetrics } from './metrics.js'

/** So many lines of one kind in a window; the first one after it says how many were left out. */
const WINDOW_MS = 10_000
const LINES_PER_WINDOW = 20

type Fields = Readonly<Record<string, unknown>>

/** Counts and logs what clients can cause at will: everything is counted, and the log stays readable whatever they do. */
export interface Notices {
  /** `code` undefined: the other side ended it. */
  closed(code: number | undefined, fields: Fields): void
  limitHit(limit: keyof Limits, fields: Fields): void
}

export interface NoticesOptions {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: RelayMetrics
}

interface Window {
  start: number
  lines: number
  suppressed: number
}

export function createNotices({ clock, log, metrics }: NoticesOptions): Notices {
  // Kinds are limits and close codes: a fixed set.
  const windows = new Map<string, Window>()

  function write(kind: string, level: 'info' | 'warn', fields: Fields, message: string): void {
    const now = clock.now()
    let window = windows.get(kind)
    if (window === undefined || Math.abs(now - window.start) >= WINDOW_MS) {
      const suppressed = window?.suppressed ?? 0
      window = { start: now, lines: 0, suppressed: 0 }
      windows.set(kind, window)
      if (suppressed > 0) log[level]({ ...fields, suppressed }, message)
      else log[level](fields, message)
    } else if (window.lines < LINES_PER_WINDOW) {
      log[level](fields, message)
    } else {
      window.suppressed += 1
    }
    window.lines += 1
  }

  return {
    closed(code, fields) {
      metrics.closed(code)
      if (code === undefined) write('closed', 'info', fields, 'connection closed by the client')
      else write(`closed ${code}`, 'info', { code, ...fields }, 'connection closed by the relay')
    },
    limitHit(limit, fields) {
      metrics.limitHit(limit)
      write(limit, 'warn', { limit, ...fields }, 'a limit was hit')
    },
  }
}
