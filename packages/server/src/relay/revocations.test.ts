import { expect, it } from 'vitest'
import { silentLog } from '../log.js'
import { createRevocations } from './revocations.js'

it('[SEC-6] takes back what was issued until then, there or everywhere', () => {
  const revocations = createRevocations(silentLog)
  revocations.note({ user: 'ada' }, 100)
  revocations.note({ user: 'bob', space: 'team' }, 100)
  expect([0, 100, 101].map((issued) => revocations.covers('ada', issued))).toEqual([
    true,
    true,
    false,
  ])
  expect(revocations.covers('bob', 100)).toBe(false)
  expect(revocations.covers('bob', 100, 'team')).toBe(true)
  expect(revocations.covers('bob', 100, 'other')).toBe(false)
  expect(revocations.covers('eve', 0)).toBe(false)
})

it('forgets the oldest ones when there are too many, and says so', () => {
  const lines: string[] = []
  const log = { ...silentLog, warn: (_fields: object, line: string) => void lines.push(line) }
  const revocations = createRevocations(log, 2)
  for (const [time, user] of ['a', 'b', 'a', 'c'].entries()) revocations.note({ user }, time)
  expect(['a', 'b', 'c'].map((user) => revocations.covers(user, 0))).toEqual([true, false, true])
  expect(lines).toHaveLength(1)
})
