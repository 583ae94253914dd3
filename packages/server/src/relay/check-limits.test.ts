import { expect, it } from 'vitest'
import { checkedLimits } from './check-limits.js'
import { DEFAULT_LIMITS, type Limits } from './limits.js'

it('what is not configured is the default', () => {
  expect(checkedLimits()).toEqual(DEFAULT_LIMITS)
  expect(checkedLimits({ maxChannels: 7 })).toEqual({ ...DEFAULT_LIMITS, maxChannels: 7 })
})

it.each([
  [{ maxChanels: 7 }, 'There is no limit "maxChanels"'],
  [{ toString: 7 }, 'There is no limit "toString"'],
  [{ maxChannels: -1 }, 'maxChannels must be a whole number from 0 on'],
  [{ framesPerSecond: 0 }, 'framesPerSecond must be a whole number from 1 on'],
  [{ maxChannels: Number.NaN }, 'maxChannels must be'],
  [{ maxChannels: 1.5 }, 'maxChannels must be'],
])('%j is refused, and it says why', (limits, message) => {
  expect(() => checkedLimits(limits as Partial<Limits>)).toThrow(message)
})

it('every default is one that could be configured', () => {
  expect(() => checkedLimits(DEFAULT_LIMITS)).not.toThrow()
})
