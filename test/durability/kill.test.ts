import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasStrace } from '../support/strace.js'
import { DISK_CALLS } from './faults.js'
import {
  type Calls,
  countCallsOf,
  type KillRound,
  killAtRecovery,
  killAtWork,
  leaveRemains,
  type Remains,
} from './kill-round.js'

/** How many of each call's places are looked at here; `pnpm test:chaos` looks at every one. */
const PLACES = { atWork: 4, atRecovery: 2 }

describe.runIf(hasStrace())('a relay that is killed as it enters a call on its data', () => {
  let remains: Remains
  let calls: Calls

  beforeAll(async () => {
    remains = await leaveRemains()
    calls = await countCallsOf(remains)
  })

  afterAll(() => remains.dispose())

  test.for(DISK_CALLS)(
    '[DUR-3] [DUR-7] [DUR-8] keeps everything that it acknowledged, and takes the rest later: %s',
    async (call) => {
      await examine(spread(calls.atWork.get(call), PLACES.atWork), (when) => killAtWork(call, when))
    },
  )

  test.for(DISK_CALLS)(
    '[DUR-3] still has everything when it was killed before, and comes back: %s',
    async (call) => {
      await examine(spread(calls.atRecovery.get(call), PLACES.atRecovery), (when) =>
        killAtRecovery(remains, call, when),
      )
    },
  )

  test('[DUR-3] looks at calls of every part of its life', async () => {
    expect(calls.atWork.get('pwrite64')).toBeGreaterThan(100)
    expect(calls.atWork.get('fsync')).toBeGreaterThan(15)
    expect(calls.atRecovery.get('pwrite64')).toBeGreaterThan(10)
    const { survived, promised, problems } = await killAtWork('fsync', 1_000)
    expect({ survived, problems }).toEqual({ survived: true, problems: [] })
    expect(promised).toBeGreaterThan(10)
  })
})

async function examine(
  places: readonly number[],
  round: (when: number) => Promise<KillRound>,
): Promise<void> {
  let survived = 0
  for (const when of places) {
    const { problems, ...rest } = await round(when)
    if (rest.survived) survived += 1
    expect([when, problems]).toEqual([when, []])
  }
  // Commits come in other numbers in each life: it may get by with a few calls less.
  expect(survived).toBeLessThanOrEqual(1)
}

/** Places from the first to the last, evenly apart. */
function spread(last = 0, count: number): number[] {
  const places = Array.from({ length: count }, (_, index) =>
    Math.round(1 + ((last - 1) * index) / (count - 1)),
  )
  return last === 0 ? [] : [...new Set(places)]
}
