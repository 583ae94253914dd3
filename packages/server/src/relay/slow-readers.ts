import type { Clock } from '@tidemark/core'
import type { Limits } from './limits.js'

/** How often readers are looked at. */
const INTERVAL_MS = 2_000

/** A connection, as far as its reading matters. */
export interface Reader {
  /** Bytes that were handed to it, ever. */
  readonly sentBytes: number
  /** Bytes of these that have not left this process. */
  readonly bufferedBytes: number
  /** Ends it as too slow: it connects again and catches up. */
  cut(limit: keyof Limits): void
}

/**
 * Cuts readers that stand still with something in front of them, and those with the most when too much is buffered in all.
 * That one alone has too much is seen when something is sent to it; this is what only time and the sum show.
 */
export interface SlowReaders {
  watch(reader: Reader): void
  forget(reader: Reader): void
}

interface Progress {
  /** Bytes that have left, and since when it is as many. */
  left: number
  since: number
}

export function createSlowReaders(limits: Limits, clock: Clock): SlowReaders {
  const readers = new Map<Reader, Progress>()
  let cancel: (() => void) | undefined

  function look(): void {
    const now = clock.now()
    let inAll = 0
    for (const [reader, progress] of readers) {
      const { bufferedBytes } = reader
      const left = reader.sentBytes - bufferedBytes
      inAll += bufferedBytes
      // A clock that was set back starts the wait anew.
      if (bufferedBytes === 0 || left !== progress.left || now < progress.since) {
        progress.left = left
        progress.since = now
      } else if (now - progress.since >= limits.maxStall) {
        reader.cut('maxStall')
        inAll -= bufferedBytes
      }
    }
    if (inAll > limits.maxBufferedInAll) cutTheLargest(inAll - limits.maxBufferedInAll)
    schedule()
  }

  function cutTheLargest(tooMuch: number): void {
    const sizes = [...readers.keys()].map((reader) => ({ reader, bytes: reader.bufferedBytes }))
    sizes.sort((a, b) => b.bytes - a.bytes)
    let left = tooMuch
    for (const { reader, bytes } of sizes) {
      if (left <= 0) return
      reader.cut('maxBufferedInAll')
      left -= bytes
    }
  }

  function schedule(): void {
    cancel = readers.size === 0 ? undefined : clock.schedule(look, INTERVAL_MS)
  }

  return {
    watch(reader) {
      readers.set(reader, { left: 0, since: clock.now() })
      if (cancel === undefined) schedule()
    },
    forget(reader) {
      readers.delete(reader)
      if (readers.size > 0) return
      cancel?.()
      cancel = undefined
    },
  }
}
