import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLiveQuery } from './live-query.js'
import {
  apply,
  type Content,
  type Fields,
  microtasks,
  type Row,
  row,
  Source,
} from './live-query.test-support.js'
import type { QueryOptions } from './types.js'

const SEED = 20261120

const content: fc.Arbitrary<Content> = fc.record(
  {
    title: fc.constantFrom('', 'a', 'A', 'ä', 'a10', 'a9', 'b', '\u0000'),
    rank: fc.constantFrom(undefined, -1, 0, 1, 2.5, 10),
    done: fc.boolean(),
    mixed: fc.oneof(
      fc.constantFrom<unknown>(
        null,
        undefined,
        true,
        false,
        0,
        9,
        10,
        -5,
        '',
        '5',
        '10',
        '-5',
        'x',
      ),
      fc.constantFrom<unknown>([], ['5'], ['10'], ['9', '1'], ['-5'], {}, { a: 1 }, [['5']], [[]]),
    ),
  },
  { requiredKeys: [] },
)

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
/** One transaction: some rows are put, deleted, or touched without a change. */
const change = fc.uniqueArray(
  fc.record({
    id,
    what: fc.oneof({ weight: 4, arbitrary: content }, fc.constant(null), fc.constant('same')),
  }),
  { minLength: 1, maxLength: 4, selector: (entry) => entry.id },
)

const order = fc.tuple(
  fc.constantFrom('id', 'title', 'rank', 'done', 'mixed', '$lastModified'),
  fc.constantFrom('asc', 'desc'),
)
const options = fc.record(
  {
    where: fc.oneof(
      content.map((wanted) => wanted as QueryOptions<Fields>['where']),
      fc.constantFrom<QueryOptions<Fields>['where']>(
        (candidate) => (candidate.rank ?? 0) > 0,
        (candidate) => candidate.title.startsWith('a'),
        () => false,
      ),
    ),
    orderBy: fc.oneof(order, fc.array(order, { maxLength: 3 })),
    limit: fc.integer({ min: 0, max: 4 }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<QueryOptions<Fields>>

describe('a live query', () => {
  test('shows after any changes what a new query computes from all rows', () => {
    let shown = 0
    fc.assert(
      fc.property(
        options,
        fc.array(change, { maxLength: 12 }),
        fc.array(fc.boolean()),
        (query, script, looks) => {
          const source = new Source()
          apply(source, [
            { id: 'a', what: { rank: 1 } },
            { id: 'b', what: { mixed: ['10'] } },
          ])
          const live = createLiveQuery<Fields>(source, query)
          live.subscribe(() => undefined)
          for (const [index, transaction] of script.entries()) {
            apply(source, transaction)
            // Several changes may come before anybody looks.
            if (looks[index] === true) continue
            expect(live.current).toEqual(createLiveQuery<Fields>(source, query).current)
            shown += live.current.length
          }
          expect(live.current).toEqual(createLiveQuery<Fields>(source, query).current)
        },
      ),
      { seed: SEED, numRuns: 1000 },
    )
    expect(shown).toBeGreaterThan(1500)
  })

  test('shows the same rows whatever order they come from the collection in', () => {
    fc.assert(
      fc.property(
        options,
        fc.array(content, { minLength: 6, maxLength: 6 }),
        fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }),
        (query, contents, turn) => {
          const rows = contents.map((what, index) => row('abcdef'[index] as string, what))
          const straight = new Source()
          const shuffled = new Source()
          for (const one of rows) straight.rows.set(one.id, one)
          for (const index of turn) {
            const one = rows[index] as Row
            shuffled.rows.set(one.id, one)
          }
          expect(createLiveQuery<Fields>(shuffled, query).current).toEqual(
            createLiveQuery<Fields>(straight, query).current,
          )
        },
      ),
      { seed: SEED, numRuns: 1000 },
    )
  })

  test('tells a listener once after a task, of what is then so, and only when that is something else', async () => {
    await fc.assert(
      fc.asyncProperty(
        options,
        fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
        async (query, tasks) => {
          const source = new Source()
          apply(source, [{ id: 'a', what: { rank: 1 } }])
          const live = createLiveQuery<Fields>(source, query)
          const heard: (readonly Row[])[] = []
          let known = live.current
          live.subscribe((rows) => heard.push(rows))
          for (const task of tasks) {
            const before = live.current
            for (const transaction of task) apply(source, transaction)
            await microtasks()
            const now = createLiveQuery<Fields>(source, query).current
            if (isSame(before, now)) {
              expect(heard).toEqual([])
              expect(live.current).toBe(before)
            } else {
              expect(heard).toHaveLength(1)
              expect(heard[0]).toBe(live.current)
              expect(live.current).toEqual(now)
            }
            expect(isSame(known, live.current)).toBe(heard.length === 0)
            known = live.current
            heard.length = 0
          }
        },
      ),
      { seed: SEED, numRuns: 300 },
    )
  })
})

function isSame(a: readonly Row[], b: readonly Row[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index])
}
