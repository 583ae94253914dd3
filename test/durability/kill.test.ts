import { describe, expect, test } from 'vitest'
import { killAtRecovery, killAtWork, leaveRemains } from './kill-round.js'

describe('try', () => {
  test('it', async () => {
    for (const when of [1, 40, 100, 10_000]) {
      const t = Date.now()
      const round = await killAtWork('pwrite64', when)
      console.log(when, round, Date.now() - t)
    }
    const remains = await leaveRemains()
    for (const when of [1, 4, 100]) {
      const t = Date.now()
      console.log(when, await killAtRecovery(remains, 'pwrite64', when), Date.now() - t)
    }
    remains.dispose()
    expect(1).toBe(1)
  })
})
