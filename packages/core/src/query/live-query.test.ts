import { describe, expect, test, vi } from 'vitest'
import { createLiveQuery } from './live-query.js'
import { apply, type Fields, microtasks, type Row, row, Source } from './live-query.test-support.js'
import type { LiveQuery, QueryOptions } from './types.js'
import { uncaughtErrors } from './uncaught-errors.test-support.js'

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

  test('holds its indexes while there are listeners', () => {
    const source = new Source()
    const release = vi.fn()
    const hold = vi.spyOn(source.indexes, 'hold').mockReturnValue(release)
    const live = createLiveQuery<Fields>(source, { where: { done: false, mixed: ['x'], rank: 1 } })
    expect(live.current).toEqual([])
    expect(hold).not.toHaveBeenCalled()
    const first = live.subscribe(() => undefined)
    const second = live.subscribe(() => undefined)
    // Lists are compared, not indexed.
    expect(hold.mock.calls).toEqual([
      [
        [
          ['done', false],
          ['rank', 1],
        ],
      ],
    ])
    first()
    expect(release).not.toHaveBeenCalled()
    second()
    expect(release).toHaveBeenCalledTimes(1)
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

test('a change beyond the limit is none, until it comes within', async () => {
  const source = new Source()
  apply(
    source,
    [...'abcdef'].map((id) => ({ id, what: {} })),
  )
  const live = createLiveQuery<Fields>(source, { limit: 2, orderBy: ['title'] })
  const listener = vi.fn()
  live.subscribe(listener)
  const { current } = live
  apply(source, [{ id: 'c', what: { title: 'e' } }])
  apply(source, [{ id: 'f', what: null }])
  await microtasks()
  expect(listener).not.toHaveBeenCalled()
  expect(live.current).toBe(current)
  apply(source, [{ id: 'a', what: null }])
  expect(live.current.map((one) => one.id)).toEqual(['b', 'd'])
  await microtasks()
  expect(listener).toHaveBeenCalledTimes(1)
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
