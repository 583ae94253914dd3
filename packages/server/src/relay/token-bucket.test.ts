import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTokenBucket } from './token-bucket.js'

const SEED = 20261121

describe('a token bucket', () => {
  it('gives a burst at once and the rest at its rate', () => {
    const bucket = createTokenBucket({ perSecond: 10, burst: 3 }, 0)
    for (let token = 0; token < 3; token++) {
      expect(bucket.wait(0)).toBe(0)
      bucket.take(1, 0)
    }
    expect(bucket.wait(0)).toBe(100)
    expect(bucket.wait(99)).toBe(1)
    expect(bucket.wait(100)).toBe(0)
    expect(bucket.isFull(299)).toBe(false)
    expect(bucket.isFull(300)).toBe(true)
  })

  it('is paid back before it gives again', () => {
    const bucket = createTokenBucket({ perSecond: 10, burst: 3 }, 0)
    bucket.take(103, 0)
    expect(bucket.wait(0)).toBe(10_100)
  })

  it('[CLK-2] neither gives nor takes when the clock is set back', () => {
    const hour = 3_600_000
    const bucket = createTokenBucket({ perSecond: 10, burst: 3 }, hour)
    bucket.take(3, hour)
    expect(bucket.wait(0)).toBe(100)
    expect(bucket.wait(100)).toBe(0)
  })

  it('never gives more than its burst and its rate, over any time, and never less than its rate', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 100 }),
        fc.array(fc.nat(200), { minLength: 1, maxLength: 200 }),
        (perSecond, burst, steps) => {
          const bucket = createTokenBucket({ perSecond, burst }, 0)
          let now = 0
          let given = 0
          for (const step of steps) {
            now += step
            while (bucket.wait(now) === 0) {
              bucket.take(1, now)
              given += 1
            }
            const most = burst + (now * perSecond) / 1000
            expect(given).toBeLessThanOrEqual(most + 1e-6)
            now += bucket.wait(now)
            expect(bucket.wait(now)).toBe(0)
          }
        },
      ),
      { seed: SEED, numRuns: 200 },
    )
  })
})
