import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createHybridClock, MAX_CLOCK_DRIFT_MS } from './hybrid-clock.js'

const SEED = 20261120
const NOW = 1_790_000_000_000
const HOUR = 3_600_000
const YEAR = 365 * 24 * HOUR
const BOUND = MAX_CLOCK_DRIFT_MS * 1000

describe('the hybrid clock', () => {
  test('tells the time in microseconds', () => {
    expect(createHybridClock(() => NOW).tick()).toBe(NOW * 1000)
    expect(createHybridClock(() => NOW + 0.25).tick()).toBe(NOW * 1000 + 250)
  })

  test('[L1] [CLK-1] never tells one writer a time twice and never goes back, whatever the clocks do', () => {
    let rewinds = 0
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.record({ now: fc.integer({ min: -NOW, max: 2 * NOW }) }),
            fc.record({ step: fc.integer({ min: -HOUR, max: HOUR }) }),
            fc.record({ offset: fc.integer({ min: -NOW, max: NOW }) }),
            fc.record({ seen: fc.integer({ min: 0, max: 3 * NOW * 1000 }) }),
            fc.constant({}),
          ),
          { maxLength: 40 },
        ),
        (script) => {
          let now = NOW
          const clock = createHybridClock(() => now)
          let last = -1
          for (const step of script) {
            if ('now' in step) now = step.now
            if ('step' in step) now += step.step
            if ('seen' in step) clock.observe(step.seen)
            if ('offset' in step && clock.setOffset(step.offset)) {
              rewinds += 1
              // Whoever writes takes another name now.
              last = -1
            }
            const time = clock.tick()
            expect(time).toBeGreaterThan(last)
            expect(Number.isSafeInteger(time)).toBe(true)
            last = time
          }
        },
      ),
      { seed: SEED, numRuns: 300 },
    )
    expect(rewinds).toBeGreaterThan(50)
  })

  test('[L7] [CLK-1] does not stay ahead because it once was: set right, it tells the time', () => {
    let now = NOW + 10 * YEAR
    const clock = createHybridClock(() => now)
    clock.tick()
    expect(clock.setOffset(-10 * YEAR)).toBe(true)
    expect(clock.tick()).toBe(NOW * 1000 + 1)
    // The device's clock is set right by itself: the next word of the relay tells.
    now = NOW
    expect(clock.tick()).toBe(NOW * 1000 + 2)
    expect(clock.setOffset(0)).toBe(false)
    expect(clock.tick()).toBe(NOW * 1000 + 3)
  })

  test('[L1] [L7] goes back only when what it gave out is out of bounds', () => {
    const clock = createHybridClock(() => NOW)
    clock.setOffset(MAX_CLOCK_DRIFT_MS)
    const ahead = clock.tick()
    expect(clock.setOffset(0)).toBe(false)
    expect(clock.tick()).toBe(ahead + 1)
    clock.setOffset(-1)
    expect(clock.tick()).toBe(NOW * 1000 - 1000 + 1)
  })

  test('[L7] converts what the device said into what the relay said', () => {
    const clock = createHybridClock(() => NOW + YEAR)
    clock.setOffset(-YEAR)
    expect(clock.now()).toBe(NOW * 1000)
    expect(clock.timeOf(NOW + YEAR - 1)).toBe(NOW * 1000 - 1000)
    expect(clock.isBelievable(NOW * 1000 + BOUND)).toBe(true)
    expect(clock.isBelievable(NOW * 1000 + BOUND + 1)).toBe(false)
  })

  test('[L7] goes on after what it has seen', () => {
    const clock = createHybridClock(() => NOW)
    clock.observe(NOW * 1000 + 500)
    clock.observe(NOW * 1000 + 400)
    expect(clock.tick()).toBe(NOW * 1000 + 501)
  })

  test('[L7] [B16] does not believe a time that is further ahead than any honest clock', () => {
    const clock = createHybridClock(() => NOW)
    clock.observe(NOW * 1000 + BOUND + 1)
    expect(clock.tick()).toBe(NOW * 1000)
    clock.observe(NOW * 1000 + BOUND)
    expect(clock.tick()).toBe(NOW * 1000 + BOUND + 1)
  })

  test("[L7] follows the relay's clock where the device's is wrong, in both directions", () => {
    const behind = createHybridClock(() => NOW - 3_600_000)
    behind.setOffset(3_600_000)
    expect(behind.tick()).toBe(NOW * 1000)
    behind.observe(NOW * 1000 + BOUND)
    expect(behind.tick()).toBe(NOW * 1000 + BOUND + 1)
    const ahead = createHybridClock(() => NOW + 3_600_000)
    ahead.setOffset(-3_600_000)
    expect(ahead.tick()).toBe(NOW * 1000)
  })
})
