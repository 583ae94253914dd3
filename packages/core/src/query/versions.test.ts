import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ComparableVersion, compareVersions } from './versions.js'

const base: ComparableVersion = {
  sequence: 3,
  lastModified: 100,
  confirmedSequence: 7,
  indexedAt: 9,
}

describe('[A9] compareVersions', () => {
  test.for<[string, Partial<ComparableVersion>]>([
    ['more modifications, however old they say that they are', { sequence: 4, lastModified: 1 }],
    ['a later modification', { lastModified: 101, confirmedSequence: 1 }],
    ['a later confirmation', { confirmedSequence: 8, indexedAt: 1 }],
    ['a later indexing', { indexedAt: 10 }],
    [
      'a later indexing, where one of them was never confirmed',
      { confirmedSequence: null, indexedAt: 10 },
    ],
  ])('puts %s last', ([, change]) => {
    expect(compareVersions({ ...base, ...change }, base)).toBeGreaterThan(0)
    expect(compareVersions(base, { ...base, ...change })).toBeLessThan(0)
  })

  test('tells nothing from what only one of them has', () => {
    expect(compareVersions({ ...base, confirmedSequence: null, indexedAt: undefined }, base)).toBe(
      0,
    )
  })

  test('is an order over versions that have the same things', () => {
    const version = fc.record({
      sequence: fc.nat(3),
      lastModified: fc.nat(3),
      confirmedSequence: fc.nat(3),
      indexedAt: fc.nat(3),
    })
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0)
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0)
      }),
      { seed: 20261121, numRuns: 1000 },
    )
  })
})
