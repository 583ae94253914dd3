import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { damageAndServe } from './damage-round.js'
import { leaveRemains, type Remains } from './kill-round.js'

/** The first ones, and one that damages an entry of an index: its entity was passed over without a word. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 61]

describe('a database of which one byte was changed', () => {
  let remains: Remains

  beforeAll(async () => {
    remains = await leaveRemains('stop')
  })

  afterAll(() => remains.dispose())

  test('[DUR-9] is served without what is damaged, or not at all, and never ends the relay', async () => {
    let missing = 0
    for (const seed of SEEDS) {
      const round = await damageAndServe(remains, seed)
      expect(round.problems).toEqual([])
      missing += round.missing
    }
    expect(missing).toBeGreaterThan(0)
  })
})
