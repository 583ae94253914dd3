import { CLOSE_CODES } from '@tidemark/core/protocol'
import { expect, test } from 'vitest'
import { attack } from './attack.js'

/** Of both ways of growing: what is read, and what is kept. */
const MEMORY = 200 * 1024 * 1024

test.for([1, 20261121])(
  '[SEC-1] [SEC-2] [SEC-3] [SEC-11] [SEC-13] [O10] thousands of hostile frames break nothing but the connections that they came on: seed %i',
  async (seed) => {
    const report = await attack({ seed, frames: 3_000 })
    expect(report.violations).toEqual([])
    expect(report.memoryGrowth).toBeLessThan(MEMORY)
    // They did get past the first checks, some of them all the way.
    expect(report.closedByCode[CLOSE_CODES.protocolViolation]).toBeGreaterThan(100)
    expect(report.refused).toBeGreaterThan(50)
    expect(report.accepted).toBeGreaterThan(10)
    // Nobody is told that something is wrong here when it is wrong there.
    expect(report.closedByCode[CLOSE_CODES.overloaded] ?? 0).toBe(0)
  },
)
