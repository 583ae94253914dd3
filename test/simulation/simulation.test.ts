import { describe, expect, test } from 'vitest'
import { ackBeforeCommit } from './deliberate-bugs.js'
import { InvariantViolation, simulate } from './simulation.js'

/**
 * Seeds that once showed a bug; each stays. A seed's course is its own only as long as the simulation stays as it is: a bug
 * that matters gets a test of its own as well.
 */
const REGRESSIONS: readonly number[] = [92, 134, 347, 1193, 40120]
/** The same with wrong clocks. */
const CLOCK_REGRESSIONS: readonly number[] = [486, 517, 999, 1244, 1639, 3427]
/** Half of them with wrong clocks. */
const SEEDS = 200
/** Some 30 s of work on one core; a busy machine gets several times that. */
const LONG_MS = 240_000
const FIRST_SEED = 1

const course = { steps: 120, devices: 3 }

describe('simulation: many replicas, one relay, a bad network, one virtual clock', () => {
  test('[O1] [O2] [O7] [O8] [O9] [L1] [L7] [L18] [CLK-1] [CLK-2] every run converges, loses nothing and never claims too much', {
    timeout: LONG_MS,
  }, async () => {
    const totals: Record<string, number> = {}
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const { counts } = await simulate({ seed, ...course, wrongClocks: seed % 2 === 0 })
      for (const [what, count] of Object.entries(counts)) totals[what] = (totals[what] ?? 0) + count
    }
    // The runs are worth something only if everything that may happen did happen.
    for (const what of [
      'inserts',
      'updates',
      'updates that are too large',
      'inserts that are too large',
      'deletes',
      'restores',
      'tags',
      'synced',
      'relay crashes',
      'tab crashes',
      'tabs closed',
      'cuts',
      'blackholes',
      'ends with conflicts',
      'rollbacks',
      'types in a document',
      'types in an open document',
      'erases in a document',
      'counts in a document',
      'moves in a document',
      'clock steps',
      "steps of the relay's clock",
      'drift refusals',
    ]) {
      expect(totals[what] ?? 0, what).toBeGreaterThan(5)
    }
  })

  test.for(REGRESSIONS)('seed %i, which once showed a bug, holds', async (seed) => {
    await simulate({ seed, ...course })
  })

  test.for(CLOCK_REGRESSIONS)(
    '[CLK-1] seed %i with wrong clocks, which once showed a bug, holds',
    async (seed) => {
      await simulate({ seed, ...course, wrongClocks: true })
    },
  )

  test('the same seed takes the same course', async () => {
    const first = await simulate({ seed: 7, ...course, wrongClocks: true })
    const second = await simulate({ seed: 7, ...course, wrongClocks: true })
    expect(second).toEqual(first)
  })

  test('[L18] a relay that acknowledges before its commit is found, and the seed is named', async () => {
    const found = await firstViolation(40, ackBeforeCommit)
    expect(found).toBeInstanceOf(InvariantViolation)
    expect(found?.message).toMatch(/^seed \d+: /)
  })
})

async function firstViolation(
  seeds: number,
  tamper: typeof ackBeforeCommit,
): Promise<InvariantViolation | undefined> {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + seeds; seed++) {
    try {
      await simulate({ seed, ...course, tamper })
    } catch (error) {
      if (error instanceof InvariantViolation) return error
      throw error
    }
  }
  return undefined
}
