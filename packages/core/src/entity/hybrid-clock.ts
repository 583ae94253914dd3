/** A stamp may be at most this far ahead of the relay's clock (design: `maxClockDrift`). */
export const MAX_CLOCK_DRIFT_MS: number = 5 * 60 * 1000

/** Times are in microseconds since the epoch, but for what the device's own clock says: that is in milliseconds. */
export interface HybridClock {
  /** A time that is later than every one given out or seen before, unless `setOffset` said otherwise. */
  tick(): number
  /** The relay's time, as far as it is known. */
  now(): number
  /** What the relay's clock said when the device's said `milliseconds`, as far as it is known. */
  timeOf(milliseconds: number): number
  /** Whether an honest clock may have said that [L7]. */
  isBelievable(time: number): boolean
  /** Takes note of a time seen in somebody's write, unless it is too far ahead to be true [L7]. */
  observe(lastModified: number): void
  /**
   * Sets how far the relay's clock is ahead of ours, in milliseconds.
   *
   * What was given out while the device's clock ran ahead counts as *seen* only within the bound [L7], or one wrong
   * minute would spoil the stamps of years. So the time may go back here, and only here: true means that it did. A time
   * may then be given out again, and the caller has to sign what comes with another actor, which keeps stamps unique [L1].
   */
  setOffset(milliseconds: number): boolean
}

/** A hybrid logical clock (Kulkarni et al. 2014) in one number: physical time, pushed on by what was seen. */
export function createHybridClock(deviceTime: () => number): HybridClock {
  let latest = 0
  let offset = 0
  const timeOf = (milliseconds: number): number =>
    Math.max(0, Math.round((milliseconds + offset) * 1000))
  const now = (): number => timeOf(deviceTime())
  const isBelievable = (time: number): boolean => time <= now() + MAX_CLOCK_DRIFT_MS * 1000
  return {
    tick() {
      latest = Math.max(now(), latest + 1)
      return latest
    },
    now,
    timeOf,
    isBelievable,
    observe(lastModified) {
      if (lastModified > latest && isBelievable(lastModified)) latest = lastModified
    },
    setOffset(milliseconds) {
      offset = milliseconds
      if (isBelievable(latest)) return false
      latest = now()
      return true
    },
  }
}
