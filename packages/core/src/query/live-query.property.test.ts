import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { createLiveQuery, type RowSource } from './live-query.js'
import type { EntityRow, LiveQuery, QueryOptions } from './types.js'
import { uncaughtErrors } from './uncaught-errors.test-support.js'

const SEED = 20261120

const fields = {
  title: z.string(),
  rank: z.number().optional(),
  done: z.boolean(),
  /** Anything: what schemas allow and what nobody expects to be sorted. */
  mixed: z.any(),
}
type Fields = typeof fields
type Row = EntityRow<Fields>

/** A collection: frozen rows that keep their identity until they change. */
class Source implements RowSource<Row> {
  readonly rows = new Map<string, Row>()
  readonly #listeners = new Set<(ids: ReadonlySet<string>) => void>()

  all(): Iterable<Row> {
    return this.rows.values()
  }

  get(id: string): Row | undefined {
    return this.rows.get(id)
  }

  subscribe(listener: (ids: ReadonlySet<string>) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get followers(): number {
    return this.#listeners.size
  }

  change(changes: Iterable<readonly [id: string, row: Row | undefined]>): void {
    const ids = new Set<string>()
    for (const [id, row] of changes) {
      ids.add(id)
      if (row === undefined) this.rows.delete(id)
      else this.rows.set(id, row)
    }
    for (const listener of this.#listeners) listener(ids)
  }
}

type Content = Partial<Pick<Row, 'title' | 'rank' | 'done' | 'mixed'>>

function row(id: string, content: Content = {}): Row {
  return Object.freeze({
    id,
    title: id,
    rank: undefined,
    done: false,
    mixed: null,
    ...content,
    $status: 'synced',
    $version: Object.freeze({
      sequence: 1,
      lastModified: id.charCodeAt(0),
      confirmedSequence: 1,
    }),
    $conflicts: Object.freeze({}),
    $error: undefined,
  })
}

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

function apply(
  source: Source,
  script: readonly { id: string; what: Content | null | string }[],
): void {
  source.change(
    script.map(({ id: own, what }) => [
      own,
      typeof what === 'string' ? source.get(own) : what === null ? undefined : row(own, what),
    ]),
  )
}

const microtasks = (): Promise<void> => Promise.resolve()

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

describe('a live query that is not subscribed to', () => {
  test('follows nothing, and is up to date when it is read', () => {
    const source = new Source()
    const live = createLiveQuery<Fields>(source)
    expect(source.followers).toBe(0)
    apply(source, [{ id: 'a', what: {} }])
    expect(live.current.map((one) => one.id)).toEqual(['a'])
    const { current } = live
    expect(live.current).toBe(current)
    expect(Object.isFrozen(current)).toBe(true)
  })

  test('follows while there are listeners, each of which leaves once', async () => {
    const source = new Source()
    const live = createLiveQuery<Fields>(source)
    const listener = vi.fn()
    // One function that listens twice is two listeners.
    const first = live.subscribe(listener)
    const second = live.subscribe(listener)
    expect(source.followers).toBe(1)
    apply(source, [{ id: 'a', what: {} }])
    await microtasks()
    expect(listener).toHaveBeenCalledTimes(2)
    first()
    first()
    expect(source.followers).toBe(1)
    apply(source, [{ id: 'b', what: {} }])
    await microtasks()
    expect(listener).toHaveBeenCalledTimes(3)
    second()
    expect(source.followers).toBe(0)
    apply(source, [{ id: 'c', what: {} }])
    await microtasks()
    expect(listener).toHaveBeenCalledTimes(3)
    expect(live.current).toHaveLength(3)
  })

  test('says nothing to whoever left or came between a change and its telling', async () => {
    const source = new Source()
    const live = createLiveQuery<Fields>(source)
    const gone = vi.fn()
    const late = vi.fn()
    const leave = live.subscribe(gone)
    apply(source, [{ id: 'a', what: {} }])
    leave()
    live.subscribe(late)
    await microtasks()
    expect(gone).not.toHaveBeenCalled()
    expect(late).not.toHaveBeenCalled()
    apply(source, [{ id: 'b', what: {} }])
    await microtasks()
    expect(late).toHaveBeenCalledTimes(1)
  })
})

describe('the order and the choice of rows', () => {
  const source = new Source()
  for (const one of [
    row('d', { title: 'b', rank: 2, done: true }),
    row('c', { title: 'b', rank: 10 }),
    row('a', { title: 'ä' }),
    row('b', { title: 'a10', rank: 2 }),
    row('e', { title: 'a9', rank: -1, mixed: ['x', { y: 1 }] }),
  ])
    source.rows.set(one.id, one)

  test.for<[string, QueryOptions<Fields>, string]>([
    ['by id without an order', {}, 'abcde'],
    ['by id, the other way round', { orderBy: ['id', 'desc'] }, 'edcba'],
    ['texts as people sort them', { orderBy: ['title'] }, 'aebcd'],
    ['equal ones by id, also downwards', { orderBy: ['title', 'desc'] }, 'cdbea'],
    ['numbers by size, nothing first', { orderBy: ['rank', 'asc'] }, 'aebdc'],
    ['nothing last downwards', { orderBy: ['rank', 'desc'] }, 'cbdea'],
    ['false before true', { orderBy: ['done'] }, 'abced'],
    ['by the last modification', { orderBy: ['$lastModified', 'desc'] }, 'edcba'],
    [
      'by one field and then by another',
      {
        orderBy: [
          ['rank', 'desc'],
          ['title', 'desc'],
        ],
      },
      'cdbea',
    ],
    ['the first ones only', { orderBy: ['rank', 'desc'], limit: 2 }, 'cb'],
    ['none', { limit: 0 }, ''],
    ['those that equal an object in every field', { where: { rank: 2, done: true } }, 'd'],
    ['those that equal it deeply', { where: { mixed: ['x', { y: 1 }] } }, 'e'],
    ['those where a field is not there', { where: { rank: undefined } }, 'a'],
    ['those that a function chooses', { where: ({ rank = 0 }) => rank > 1 }, 'bcd'],
  ])('%s', ([, query, expected]) => {
    const ids = createLiveQuery<Fields>(source, query).current.map((one) => one.id)
    expect(ids.join('')).toBe(expected)
  })
})

test('a live query sorts values of different types by type, then by value', () => {
  const source = new Source()
  const mixed = ['x', 10, { a: 1 }, true, null, '9', ['b'], undefined, 9, false, '10', -1]
  for (const [index, value] of mixed.entries()) {
    const own = String.fromCharCode(97 + index)
    source.rows.set(own, row(own, { mixed: value }))
  }
  const sorted = createLiveQuery<Fields>(source, { orderBy: ['mixed', 'asc'] }).current
  expect(sorted.map((one) => one.mixed)).toEqual([
    ...[null, undefined, false, true, -1, 9, 10, '9', '10', 'x'],
    ...[{ a: 1 }, ['b']],
  ])
})

test('a live query whose where throws says so to whoever reads it, and goes on once it no longer does', async () => {
  const source = new Source()
  const errors = uncaughtErrors()
  const live = createLiveQuery<Fields>(source, {
    where: ({ rank }) => {
      if (rank === -1) throw new Error('no rank')
      return true
    },
  })
  const listener = vi.fn()
  live.subscribe(listener)
  apply(source, [
    { id: 'a', what: {} },
    { id: 'b', what: { rank: -1 } },
  ])
  expect(() => live.current).toThrow('no rank')
  await vi.waitFor(() => expect(errors).toEqual(['no rank']))
  apply(source, [{ id: 'b', what: { rank: 1 } }])
  await microtasks()
  expect(listener).toHaveBeenCalledTimes(1)
  expect(live.current.map((one) => one.id)).toEqual(['a', 'b'])
})

describe('listeners of a live query', () => {
  function subscribed(): { source: Source; live: LiveQuery<Row> } {
    const source = new Source()
    return { source, live: createLiveQuery<Fields>(source) }
  }

  test('are not told any more once an earlier one has unsubscribed them', async () => {
    const { source, live } = subscribed()
    const second = vi.fn()
    let leave = (): void => undefined
    live.subscribe(() => leave())
    leave = live.subscribe(second)
    apply(source, [{ id: 'a', what: {} }])
    await microtasks()
    expect(second).not.toHaveBeenCalled()
  })

  test('[B19] are told even when one of them throws, and its error is not lost', async () => {
    const { source, live } = subscribed()
    const errors = uncaughtErrors()
    const second = vi.fn()
    live.subscribe(() => {
      throw new Error('a bug of the app')
    })
    live.subscribe(second)
    apply(source, [{ id: 'a', what: {} }])
    await microtasks()
    expect(second).toHaveBeenCalledTimes(1)
    await vi.waitFor(() => expect(errors).toEqual(['a bug of the app']))
    apply(source, [{ id: 'b', what: {} }])
    await microtasks()
    expect(second).toHaveBeenCalledTimes(2)
    await vi.waitFor(() => expect(errors).toHaveLength(2))
  })

  test('may write from inside, and are told again of that', async () => {
    const { source, live } = subscribed()
    const seen: number[] = []
    live.subscribe((rows) => {
      seen.push(rows.length)
      if (rows.length < 3) apply(source, [{ id: 'abc'[rows.length] as string, what: {} }])
    })
    apply(source, [{ id: 'a', what: {} }])
    await vi.waitFor(() => expect(seen).toEqual([1, 2, 3]))
  })
})
