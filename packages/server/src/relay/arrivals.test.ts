import { expect, it } from 'vitest'
import { createArrivals } from './arrivals.js'
import { DEFAULT_LIMITS } from './limits.js'
import { createVirtualClock } from './virtual-clock.test-support.js'

const limits = { ...DEFAULT_LIMITS, hellosPerSecond: 100, hellosBurst: 200, maxSpread: 60_000 }

/** Numbers in [0, 1), the same in every run (Park and Miller). */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

it('[NET-2] ten thousand clients that come at once are let in at its rate, and none is sent away for ever', () => {
  const clock = createVirtualClock(0)
  const arrivals = createArrivals(limits, clock)
  const random = createRandom(20261121)
  const clients = 10_000
  const welcomed: number[] = []
  let tries = 0

  function come(): void {
    tries += 1
    const spread = arrivals.arrive()
    if (spread === undefined) welcomed.push(clock.now())
    else clock.schedule(come, random() * spread)
  }
  for (let client = 0; client < clients; client++) clock.schedule(come, random() * 500)
  clock.advance(300_000)

  expect(welcomed).toHaveLength(clients)
  for (let second = 0; second < 300; second++) {
    const during = welcomed.filter((at) => at >= second * 1000 && at < (second + 1) * 1000).length
    expect(during).toBeLessThanOrEqual(limits.hellosBurst + limits.hellosPerSecond)
  }
  // As fast as the rate allows, within half as much again, and without trying on and on.
  expect(welcomed.at(-1)).toBeLessThan(1.5 * (clients / limits.hellosPerSecond) * 1000)
  expect(tries / clients).toBeLessThan(6)
})

it('[NET-2] a stop sends clients away for as long as it takes to take them back, a few of them not at all', () => {
  const { spreadOf } = createArrivals({ ...limits, reconnectsPerSecond: 50 }, createVirtualClock())
  expect([0, 1, 500, 1_000, 1e6].map(spreadOf)).toEqual([0, 20, 10_000, 20_000, 60_000])
})

it('[CLK-2] a clock that is set back keeps nobody out', () => {
  const clock = createVirtualClock(3_600_000)
  const back = { ...clock, now: () => clock.now() - 3_600_000 }
  let current = clock.now
  const arrivals = createArrivals(limits, { ...clock, now: () => current() })
  for (let client = 0; client < 300; client++) arrivals.arrive()
  current = back.now
  clock.advance(10)
  expect(arrivals.arrive()).not.toBeUndefined()
  clock.advance(1_000)
  expect(arrivals.arrive()).toBeUndefined()
})
