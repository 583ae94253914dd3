import type { Clock } from '@tidemark/core'
import type { Limits } from './limits.js'
import { createTokenBucket } from './token-bucket.js'

/** Those who are sent away come at random times: with some room between them most find a place at once. */
const ROOM = 1.5
const MIN_SPREAD_MS = 1_000

/**
 * Lets in as many as the relay can greet, and tells the others when to come back: so a storm of clients that lost a relay
 * without a goodbye is spread out after all.
 */
export interface Arrivals {
  /** Undefined: come in. Otherwise within how many milliseconds to come back. */
  arrive(): number | undefined
  /** Within how many milliseconds so many clients may come back. */
  spreadOf(clients: number): number
}

export function createArrivals(limits: Limits, clock: Clock): Arrivals {
  const rate = { perSecond: limits.hellosPerSecond, burst: limits.hellosBurst }
  const hellos = createTokenBucket(rate, clock.now())
  /** Those who were sent away and are about to come: a debt that is paid at the same rate. */
  const expected = createTokenBucket({ ...rate, burst: 1 }, clock.now())

  return {
    arrive() {
      const now = clock.now()
      if (hellos.wait(now) === 0) {
        hellos.take(1, now)
        return undefined
      }
      expected.take(1, now)
      const spread = Math.ceil(expected.wait(now) * ROOM)
      return Math.min(limits.maxSpread, Math.max(MIN_SPREAD_MS, spread))
    },
    spreadOf: (clients) =>
      Math.min(limits.maxSpread, Math.ceil((clients * 1000) / limits.reconnectsPerSecond)),
  }
}
