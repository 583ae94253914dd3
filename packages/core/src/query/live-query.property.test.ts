import { isDeepStrictEqual } from 'node:util'
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
import { comparator } from './row-order.js'
import type { LiveQuery, QueryOptions } from './types.js'

const SEED = 20261120

const texts = fc.constantFrom('', 'a', 'A', 'ä', 'a10', 'a9', 'b', '\u0000')
const scalars = fc.constantFrom<unknown>(null, undefined, true, false, 0, 9, 10, '', '5', '10', 'x')
const objects = fc.constantFrom<unknown>([], ['5'], ['9', '1'], {}, { a: 1 }, [['5']], {
  toString: 'data',
})

/** Anything, and often what other rows have too. */
const content: fc.Arbitrary<Content> = fc.oneof(
  fc.record(
    {
      title: texts,
      rank: fc.constantFrom(undefined, -1, 0, 1, 2.5, 10),
      done: fc.boolean(),
      mixed: fc.oneof(scalars, objects),
    },
    { requiredKeys: [] },
  ),
  fc.record(
    {
      title: fc.constantFrom('a', 'A', 'b'),
      rank: fc.constantFrom(undefined, 0, 1),
      done: fc.boolean(),
      mixed: fc.constantFrom<unknown>(null, undefined, 0, '0', false, ['5'], { a: 1 }),
    },
    { requiredKeys: ['rank'] },
  ),
)

const IDS = [...'abcdefghijkl']
/** One transaction: some rows are put, deleted, or touched without a change. */
const change = fc.uniqueArray(
  fc.record({
    id: fc.constantFrom(...IDS),
    what: fc.oneof({ weight: 4, arbitrary: content }, fc.constant(null), fc.constant('same')),
  }),
  { minLength: 1, maxLength: 4, selector: (entry) => entry.id },
)

/** What comes next: a change, or one of several queries is read, or begins or ends to be followed. */
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('change'), turn: fc.nat(), changes: change }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('look'), turn: fc.nat() }) },
  fc.record({ kind: fc.constant('toggle'), turn: fc.nat() }),
)

const order = fc.tuple(
  fc.constantFrom('id', 'title', 'rank', 'done', 'mixed', '$lastModified'),
  fc.constantFrom('asc', 'desc'),
)
const wanted = fc.oneof(
  fc.record(
    {
      title: fc.constantFrom('a', 'A', 'b'),
      rank: fc.constantFrom(undefined, 0, 1),
      done: fc.boolean(),
      mixed: fc.oneof(fc.constantFrom<unknown>(null, undefined, 0, '0', false), objects),
    },
    { requiredKeys: [] },
  ),
  fc.record({ done: fc.boolean(), mixed: fc.constantFrom<unknown>(null, 0, false) }),
  fc.record({ rank: fc.constantFrom(undefined, 0, 1), done: fc.boolean() }),
) as fc.Arbitrary<QueryOptions<Fields>['where']>
const options = fc.record(
  {
    where: fc.oneof(
      { weight: 3, arbitrary: wanted },
      fc.constantFrom<QueryOptions<Fields>['where']>(
        (candidate) => (candidate.rank ?? 0) > 0,
        (candidate) => candidate.title.startsWith('a'),
        () => false,
      ),
    ),
    orderBy: fc.oneof(order, fc.array(order, { maxLength: 3 })),
    limit: fc.integer({ min: 0, max: 8 }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<QueryOptions<Fields>>

/** What a query shows, computed the plain way: without an index, and without knowing what was before. */
function recomputed(source: Source, { where, orderBy, limit }: QueryOptions<Fields>): Row[] {
  const matches = (one: Row): boolean =>
    typeof where === 'function'
      ? where(one)
      : Object.entries(where ?? {}).every(([field, value]) =>
          isDeepStrictEqual(one[field as keyof Row], value),
        )
  return [...source.all()].filter(matches).sort(comparator<Fields>(orderBy)).slice(0, limit)
}

interface Reader {
  readonly live: LiveQuery<Row>
  /** Begins or ends to follow. */
  toggle(): void
  /** Compares it with what should be there. Returns how many rows were there before, if nothing changed. */
  look(): number
}

function reader(source: Source, query: QueryOptions<Fields>): Reader {
  const live = createLiveQuery<Fields>(source, query)
  let leave: (() => void) | undefined
  let last = live.current
  return {
    live,
    toggle() {
      if (leave === undefined) leave = live.subscribe(() => undefined)
      else leave = leave() as undefined
      // To subscribe is to look.
      last = live.current
    },
    look() {
      const { current } = live
      const expected = recomputed(source, query)
      expect(current).toEqual(expected)
      expect(isSame(current, expected)).toBe(true)
      expect(Object.isFrozen(current)).toBe(true)
      const same = isSame(last, current)
      expect(current === last).toBe(same)
      last = current
      return same ? current.length : 0
    },
  }
}

describe('a live query', () => {
  test('shows what is computed from all rows, whatever changed, and whoever follows or only reads', () => {
    let shown = 0
    let kept = 0
    fc.assert(
      fc.property(
        fc.array(options, { minLength: 3, maxLength: 3 }),
        fc.array(content, { minLength: 12, maxLength: 12 }),
        fc.array(step, { maxLength: 24 }),
        (queries, contents, steps) => {
          const source = new Source()
          apply(
            source,
            contents.map((what, index) => ({ id: IDS[index] as string, what })),
          )
          const all = queries.map((query) => reader(source, query))
          for (const { turn, ...what } of steps) {
            const one = all[turn % all.length] as Reader
            // Several changes may come before anybody looks.
            if (what.kind === 'change') apply(source, what.changes)
            else if (what.kind === 'toggle') one.toggle()
            else kept += one.look()
          }
          for (const one of all) {
            one.look()
            shown += one.live.current.length
          }
        },
      ),
      { seed: SEED, numRuns: 2000 },
    )
    expect(shown).toBeGreaterThan(5000)
    expect(kept).toBeGreaterThan(1000)
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
            const now = recomputed(source, query)
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

/** Row by row the same objects. */
function isSame(a: readonly Row[], b: readonly Row[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index])
}
