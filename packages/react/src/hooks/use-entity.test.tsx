// biome-ignore-all lint/correctness/noComponentHookFactories: a component of a test closes over the store of that test.
import { act, screen } from '@testing-library/react'
import { expect, it } from 'vitest'
import { type CardFields, createFakeStore } from '../fake-store.test-support.js'
import { type EntityResult, useEntity } from '../index.js'
import { renderWithStore, watchReact } from '../render.test-support.js'

watchReact()

function setUp(options: { readonly loaded?: boolean } = {}) {
  const fake = createFakeStore()
  const results: EntityResult<CardFields>[] = []
  const Card = ({ id }: { readonly id: string | undefined }) => {
    const result = useEntity(fake.store.cards, id)
    results.push(result)
    return <p>{result.data?.title ?? (result.isLoading ? 'loading' : 'nothing')}</p>
  }
  if (options.loaded === true) fake.finishLoading()
  const latest = () => {
    const result = results.at(-1)
    if (result === undefined) throw new Error('nothing was rendered')
    return result
  }
  return { fake, results, latest, Card }
}

it('shows an entity and follows its changes', async () => {
  const { fake, Card } = setUp({ loaded: true })
  fake.put('a', { title: 'Hello' })
  await renderWithStore(fake, <Card id="a" />)
  expect(screen.getByText('Hello')).toBeTruthy()
  await act(async () => fake.put('a', { title: 'Hi' }))
  expect(screen.getByText('Hi')).toBeTruthy()
  await act(async () => fake.remove('a'))
  expect(screen.getByText('nothing')).toBeTruthy()
})

it('is loading until local data is loaded, and only while there is nothing to show', async () => {
  const { fake, latest, Card } = setUp()
  await renderWithStore(fake, <Card id="a" />)
  expect(latest()).toMatchObject({ isLoading: true, data: undefined, syncStatus: undefined })
  await act(async () => fake.put('a'))
  expect(latest().isLoading).toBe(false)
  await act(async () => fake.remove('a'))
  expect(latest().isLoading).toBe(true)
  await act(async () => fake.finishLoading())
  expect(latest()).toMatchObject({ isLoading: false, data: undefined, error: undefined })
})

it('says why local data could not be loaded', async () => {
  const { fake, latest, Card } = setUp()
  await renderWithStore(fake, <Card id="a" />)
  const error = Object.assign(new Error('The disk is full.'), { code: 'storage-failed' })
  await act(async () => fake.failLoading(error))
  expect(latest()).toMatchObject({
    isLoading: false,
    error: { code: 'storage-failed', message: 'The disk is full.' },
  })
  await expect(latest().refetch()).rejects.toBe(error)
})

it('shows nothing and loads nothing without an id', async () => {
  const { fake, latest, Card } = setUp()
  const { rerender } = await renderWithStore(fake, <Card id={undefined} />)
  expect(latest()).toMatchObject({ isLoading: false, data: undefined, syncStatus: undefined })
  fake.put('a', { title: 'Hello' })
  rerender(<Card id="a" />)
  expect(latest().data?.title).toBe('Hello')
  rerender(<Card id={undefined} />)
  expect(latest().data).toBe(undefined)
})

it.each([
  ['pending', true],
  ['syncing', true],
  ['synced', false],
  ['stale', false],
  ['error', false],
] as const)('reports %s, optimistic: %s', async (status, isOptimistic) => {
  const { fake, latest, Card } = setUp({ loaded: true })
  fake.put('a', { $status: status })
  await renderWithStore(fake, <Card id="a" />)
  expect(latest()).toMatchObject({ syncStatus: status, isOptimistic })
})

it('hands on why an operation on the entity failed', async () => {
  const { fake, latest, Card } = setUp({ loaded: true })
  const error = { code: 'forbidden', message: 'Not yours.' }
  fake.put('a', { $status: 'error', $error: error })
  await renderWithStore(fake, <Card id="a" />)
  expect(latest().error).toBe(error)
})

it('is fetching while the store connects', async () => {
  const { fake, latest, Card } = setUp({ loaded: true })
  await renderWithStore(fake, <Card id="a" />)
  expect(latest().isFetching).toBe(false)
  await act(async () => fake.setStatus({ connection: 'connecting' }))
  expect(latest().isFetching).toBe(true)
})

it('resolves refetch when local data is loaded, with a function that stays the same', async () => {
  const { fake, latest, Card } = setUp()
  await renderWithStore(fake, <Card id="a" />)
  const { refetch } = latest()
  let done = false
  const fetched = refetch().then(() => {
    done = true
  })
  await act(async () => {})
  expect(done).toBe(false)
  await act(async () => fake.finishLoading())
  await fetched
  expect(latest().refetch).toBe(refetch)
})

it('renders only the component whose entity changed', async () => {
  const fake = createFakeStore()
  fake.finishLoading()
  const ids = Array.from({ length: 50 }, (_, index) => `card-${index}`)
  for (const id of ids) fake.put(id)
  const renders = new Map<string, number>()
  const Card = ({ id }: { readonly id: string }) => {
    renders.set(id, (renders.get(id) ?? 0) + 1)
    return <p>{useEntity(fake.store.cards, id).data?.title}</p>
  }
  await renderWithStore(
    fake,
    ids.map((id) => <Card key={id} id={id} />),
  )
  await act(async () => {})
  renders.clear()

  await act(async () => fake.put('card-7', { title: 'changed' }))
  expect([...renders]).toEqual([['card-7', 1]])
  renders.clear()
  await act(async () => fake.setStatus({ pending: 3, syncing: 1 }))
  expect([...renders]).toEqual([])
})

it('gives the same result object while nothing changes', async () => {
  const { fake, results, Card } = setUp({ loaded: true })
  fake.put('a')
  const { rerender } = await renderWithStore(fake, <Card id="a" />)
  rerender(<Card id="a" />)
  rerender(<Card id="a" />)
  expect(results.length).toBeGreaterThanOrEqual(3)
  expect(results.at(-1)).toBe(results.at(-2))
})
