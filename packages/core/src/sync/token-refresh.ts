import type { Cancel, Platform } from '../platform/index.js'

/** Time for another token to be got and told before the one expires; less for those that don't last. */
const LEAD_MS = 60_000
/** Later than that it is not worth asking: the relay closes the link, and the next one begins with another token. */
const TOO_LATE_MS = 2_000
/** Timers of more than 2^31 ms go off at once. */
const LONGEST_MS = 24 * 60 * 60 * 1000

/** Sees to it that the relay has another token before the one that it knows expires. */
export interface TokenRefresh {
  /** The relay knows a token that expires in so many milliseconds. */
  expiresIn(milliseconds: number): void
  /** There is no link. */
  stop(): void
}

/**
 * @param refresh gets another token and sends it. Whether it succeeds shows in the next `expiresIn`; until then it is called
 *   again each time that half of what was left has passed: which is also the deadline for the call before.
 */
export function createTokenRefresh(
  { clock, random }: Pick<Platform, 'clock' | 'random'>,
  refresh: () => void,
): TokenRefresh {
  let cancel: Cancel = () => undefined

  function plan(left: number): void {
    if (left < TOO_LATE_MS) return
    // Between once and half of the lead before the end: devices that got their tokens together don't ask together.
    const lead = Math.min(LEAD_MS, left / 2)
    const jitter = (random.bytes(1)[0] ?? 0) / 512
    const delay = left - lead * (1 - jitter)
    const isFar = delay > LONGEST_MS
    cancel = clock.schedule(
      () => {
        plan(left - Math.min(delay, LONGEST_MS))
        if (!isFar) refresh()
      },
      Math.min(delay, LONGEST_MS),
    )
  }

  return {
    expiresIn(milliseconds) {
      cancel()
      plan(milliseconds)
    },
    stop: () => cancel(),
  }
}
