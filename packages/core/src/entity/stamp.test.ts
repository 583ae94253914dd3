import { describe, expect, test } from 'vitest'
import { compareStamps, formatActor, type Stamp, sameStamp, userOf } from './stamp.js'

const stamp = (lastModified: number, actor: string): Stamp => ({ lastModified, actor })

describe('stamps', () => {
  test('[CONV-1] are ordered by time, then by actor', () => {
    const ascending = [stamp(1, 'z'), stamp(2, 'a'), stamp(2, 'b'), stamp(3, 'a')]
    for (const [place, a] of ascending.entries())
      for (const [other, b] of ascending.entries())
        expect(Math.sign(compareStamps(a, b)), `${place} and ${other}`).toBe(
          Math.sign(place - other),
        )
  })

  test('[L1] are the same when both of their parts are', () => {
    expect(sameStamp(stamp(1, 'a'), stamp(1, 'a'))).toBe(true)
    expect(sameStamp(stamp(1, 'a'), stamp(1, 'b'))).toBe(false)
    expect(sameStamp(stamp(1, 'a'), stamp(2, 'a'))).toBe(false)
  })
})

describe('an actor', () => {
  test('names a user, a device and a writer', () => {
    expect(formatActor({ user: 'ada', replica: 'r1', writer: 36 })).toBe('ada/r1/10')
  })

  test.for([
    ['ada/r1/10', 'ada'],
    ['ada', 'ada'],
    ['/r1/10', ''],
  ] as const)('%j belongs to %j', ([actor, user]) => {
    expect(userOf(actor)).toBe(user)
  })
})
