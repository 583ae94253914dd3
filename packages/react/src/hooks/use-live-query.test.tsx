// biome-ignore-all lint/correctness/noComponentHookFactories: a component of a test closes over the store of that test.
import { act, screen } from '@testing-library/react'
import { useState } from 'react'
import { expect, expectTypeOf, it, vi } from 'vitest'
import { type Card, createFakeStore, type FakeStore } from '../fake-store.test-support.js'
import { type LiveQueryResult, useLiveQuery } from '../index.js'
import { renderWithStore, watchReact } from '../render.test-support.js'

watchReact()

function setUp() {
  const fake = createFakeStore()
  const results: LiveQueryResult<Card>[] = []
  const makeQuery = vi.fn((store: FakeStore['store'], done: boolean) =>
    store.cards.query({ where: (card) => card.done === done }),
  )
  const List = ({ done }: { readonly done: boolean }) => {
    const result = useLiveQuery((store: FakeStore['store']) => makeQuery(store, done), [done])
    results.push(result)
    return <p>{result.data.map((card) => card.title).join(', ') || 'empty'}</p>
  }
  const latest = () => {
    const result = results.at(-1)
    if (result === undefined) throw new Error('nothing was rendered')
    return result
  }
  return { fake, results, latest, makeQuery, List }
}

it('shows the rows that match and follows their changes', async () => {
  const { fake, List } = setUp()
  fake.put('a', { title: 'A' })
  fake.put('b', { title: 'B', done: true })
  await renderWithStore(fake, <List done={false} />)
  expect(screen.getByText('A')).toBeTruthy()
  await act(async () => fake.put('b', { done: false }))
  expect(screen.getByText('A, B')).toBeTruthy()
  await act(async () => fake.remove('a'))
  expect(screen.getByText('B')).toBeTruthy()
})

it('types its rows by the query', () => {
  const { latest } = setUp()
  expectTypeOf<ReturnType<typeof latest>['data']>().toEqualTypeOf<readonly Card[]>()
})

it('makes the query once, and again when a dependency changes', async () => {
  const { fake, makeQuery, List } = setUp()
  fake.put('a', { title: 'A' })
  fake.put('b', { title: 'B', done: true })
  const { rerender } = await renderWithStore(fake, <List done={false} />)
  rerender(<List done={false} />)
  await act(async () => fake.put('c', { title: 'C' }))
  expect(makeQuery).toHaveBeenCalledTimes(1)
  rerender(<List done={true} />)
  expect(makeQuery).toHaveBeenCalledTimes(2)
  expect(screen.getByText('B')).toBeTruthy()
})

it('does not render again when nothing of its rows changed', async () => {
  const { fake, results, List } = setUp()
  fake.finishLoading()
  fake.put('a')
  await renderWithStore(fake, <List done={false} />)
  await act(async () => {})
  const { length } = results
  await act(async () => fake.put('b', { done: true }))
  await act(async () => fake.setStatus({ pending: 1 }))
  expect(results).toHaveLength(length)
  await act(async () => fake.put('c'))
  expect(results).toHaveLength(length + 1)
})

it('keeps the array when another query gives the same rows', async () => {
  const fake = createFakeStore()
  fake.put('a')
  const seen: (readonly Card[])[] = []
  const List = ({ limit }: { readonly limit: number }) => {
    seen.push(useLiveQuery(() => fake.store.cards.query({ limit }), [limit]).data)
    return null
  }
  const { rerender } = await renderWithStore(fake, <List limit={10} />)
  rerender(<List limit={20} />)
  expect(seen.at(-1)).toBe(seen.at(0))
})

it('is loading until local data is loaded, and only while nothing matches', async () => {
  const { fake, latest, List } = setUp()
  await renderWithStore(fake, <List done={false} />)
  expect(latest()).toMatchObject({ data: [], isLoading: true, error: undefined })
  await act(async () => fake.put('a'))
  expect(latest().isLoading).toBe(false)
  await act(async () => fake.remove('a'))
  await act(async () => fake.finishLoading())
  expect(latest()).toMatchObject({ data: [], isLoading: false, error: undefined })
})

it('does not pass off a failure to load as an empty result', async () => {
  const { fake, latest, List } = setUp()
  await renderWithStore(fake, <List done={false} />)
  await act(async () => fake.failLoading(new Error('broken')))
  expect(latest()).toMatchObject({
    isLoading: false,
    error: { code: 'storage-failed', message: 'broken' },
  })
})

it('shows the new rows at once when a state that it depends on changes', async () => {
  const { fake, results, List } = setUp()
  fake.put('a', { title: 'A' })
  fake.put('b', { title: 'B', done: true })
  let toggle = () => {}
  const Page = () => {
    const [done, setDone] = useState(false)
    toggle = () => setDone(!done)
    return <List done={done} />
  }
  await renderWithStore(fake, <Page />)
  results.length = 0
  await act(async () => toggle())
  expect(results.map((result) => result.data.map((card) => card.id))).toEqual(
    results.map(() => ['b']),
  )
})
