/** A stamp may be at most this far ahead of the relay's clock (design: `maxClockDrift`). */
export const MAX_CLOCK_DRIFT_MS: number = 5 * 60 * 1000

export interface HybridClock {
  /** A time that is later than every one given out or seen before, in microseconds since the epoch. */
  tick(): number
  /** Takes note of a time seen in somebody's write, unless it is too far ahead to be true [L7]. */
  observe(lastModified: number): void
  /** Sets how far the relay's clock is ahead of ours, in milliseconds. */
  setOffset(milliseconds: number): void
}

/** A hybrid logical clock (Kulkarni et al. 2014) in one number: physical time, pushed on by what was seen. */
export function createHybridClock(now: () => number): HybridClock {
  let latest = 0
  let offset = 0
  const physical = (): number => Math.max(0, Math.round((now() + offset) * 1000))
  return {
    tick() {
      latest = Math.max(physical(), latest + 1)
      return latest
    },
    observe(lastModified) {
      if (lastModified > latest && lastModified <= physical() + MAX_CLOCK_DRIFT_MS * 1000) {
        latest = lastModified
      }
    },
    setOffset(milliseconds) {
      offset = milliseconds
    },
  }
}
