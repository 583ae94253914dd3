import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ABSENT, createFieldIndex, isScalar, type Scalar } from './field-index.js'

const SEED = 20261121

const SCALARS: readonly Scalar[] = [undefined, null, true, false, 0, 1, '', '0', '1', 'null']

test('an index finds exactly the rows that have a value now, whatever they had before', () => {
  let found = 0
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.constantFrom('a', 'b', 'c', 'd', 'e'),
          fc.constantFrom<unknown>(...SCALARS, ABSENT, [], ['1'], { a: 1 }),
        ),
        { maxLength: 30 },
      ),
      (changes) => {
        const index = createFieldIndex()
        const values = new Map<string, unknown>()
        for (const [id, value] of changes) {
          index.set(id, value)
          values.set(id, value)
          for (const scalar of SCALARS) {
            const ids = [...values.keys()].filter((other) => values.get(other) === scalar)
            expect([...index.ids(scalar)].sort()).toEqual(ids.sort())
            found += ids.length
          }
        }
      },
    ),
    { seed: SEED, numRuns: 300 },
  )
  expect(found).toBeGreaterThan(1000)
})

test('only scalars are found', () => {
  expect(SCALARS.every(isScalar)).toBe(true)
  expect([ABSENT, [], {}, () => 1, 1n].some(isScalar)).toBe(false)
})
