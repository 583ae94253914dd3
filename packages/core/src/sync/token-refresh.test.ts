import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createTokenRefresh } from './token-refresh.js'

const SEED = 20261121
const HOUR = 3_600_000

/** One timer at most, and what has passed. */
function surroundings(byte: number) {
  let timer: { readonly at: number; readonly callback: () => void } | undefined
  let now = 0
  return {
    clock: {
      now: () => 0,
      schedule(callback: () => void, milliseconds: number) {
        expect(milliseconds).toBeLessThan(2 ** 31)
        timer = { at: now + milliseconds, callback }
        return () => {
          timer = undefined
        }
      },
    },
    random: { bytes: (length: number) => new Uint8Array(length).fill(byte) },
    isWaiting: () => timer !== undefined,
    now: () => now,
    advance(milliseconds: number) {
      const until = now + milliseconds
      while (timer !== undefined && timer.at <= until) {
        const { at, callback } = timer
        now = at
        timer = undefined
        callback()
      }
      now = until
    },
  }
}

/** When it asks, if nobody ever answers. */
function timesOf(lifetime: number, byte: number): number[] {
  const world = surroundings(byte)
  const times: number[] = []
  createTokenRefresh(world, () => times.push(world.now())).expiresIn(lifetime)
  world.advance(lifetime + HOUR)
  expect(world.isWaiting()).toBe(false)
  return times
}

describe('[SEC-6] before a token expires another one', () => {
  test('is asked for half a minute to a minute ahead, at another moment on each device', () => {
    expect(timesOf(HOUR, 0)[0]).toBe(HOUR - 60_000)
    expect(timesOf(HOUR, 255)[0]).toBeCloseTo(HOUR - 30_000, -3)
  })

  test('is asked for again and again while there is none, always in time, and not without end', () => {
    let refreshed = 0
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 * 24 * HOUR }),
        fc.integer({ min: 0, max: 255 }),
        (lifetime, byte) => {
          const times = timesOf(lifetime, byte)
          refreshed += times.length
          if (lifetime >= 2_000) expect(times.length).toBeGreaterThan(0)
          expect(times.length).toBeLessThan(10)
          for (const [index, time] of times.entries()) {
            expect(time).toBeLessThan(lifetime)
            expect(time - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(999)
          }
        },
      ),
      { seed: SEED, numRuns: 300 },
    )
    expect(refreshed).toBeGreaterThan(300)
  })

  test('is asked for by the new time once there is one', () => {
    const world = surroundings(0)
    let refreshes = 0
    const refresh = createTokenRefresh(world, () => {
      refreshes += 1
      refresh.expiresIn(HOUR)
    })
    refresh.expiresIn(HOUR)
    world.advance(10 * HOUR)
    expect(refreshes).toBe(10)
  })

  test('is not asked for without a link, nor where tokens do not expire', () => {
    const world = surroundings(0)
    const refresh = createTokenRefresh(world, () => expect.unreachable())
    refresh.expiresIn(HOUR)
    refresh.stop()
    expect(world.isWaiting()).toBe(false)
    refresh.expiresIn(0)
    expect(world.isWaiting()).toBe(false)
  })
})
