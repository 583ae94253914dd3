/** So many a second, and so many at once after a pause. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/**
 * A token bucket that may go into debt: what can only be measured when it is done is paid for afterwards, and nothing more is
 * given out until it is. Time is handed in, in milliseconds; a clock that is set back gives nothing and takes nothing
 * (CLK-2).
 */
export interface TokenBucket {
  take(tokens: number, now: number): void
  /** Milliseconds until a token is there; 0: one is. */
  wait(now: number): number
  /** As if nobody had ever taken anything. */
  isFull(now: number): boolean
}

/** A token in units: a millisecond at one token a second. Whole numbers stay exact. */
const TOKEN = 1000

export function createTokenBucket({ perSecond, burst }: Rate, start: number): TokenBucket {
  const full = burst * TOKEN
  let units = full
  let at = start

  function refill(now: number): void {
    if (now > at) units = Math.min(full, units + (now - at) * perSecond)
    at = now
  }

  return {
    take(tokens, now) {
      refill(now)
      units -= tokens * TOKEN
    },
    wait(now) {
      refill(now)
      return units >= TOKEN ? 0 : Math.ceil((TOKEN - units) / perSecond)
    },
    isFull(now) {
      refill(now)
      return units >= full
    },
  }
}
