// biome-ignore-all lint/correctness/noComponentHookFactories: a component of a test closes over the store of that test.
import { act, render, screen } from '@testing-library/react'
import { StrictMode, Suspense, startTransition, useState } from 'react'
import { expect, it } from 'vitest'
import { createFakeStore } from './fake-store.test-support.js'
import {
  GlobalSyncIndicator,
  StoreProvider,
  SyncBadge,
  useEntity,
  useLiveQuery,
  useOperations,
  useStore,
  useSyncStatus,
} from './index.js'
import { watchReact } from './render.test-support.js'

watchReact()

function setUp() {
  const fake = createFakeStore()
  const Row = ({ id }: { readonly id: string }) => {
    const { data, syncStatus } = useEntity(fake.store.cards, id)
    return (
      <li>
        {data?.title} <SyncBadge status={syncStatus} />
      </li>
    )
  }
  const Page = ({ limit }: { readonly limit: number }) => {
    const { data } = useLiveQuery(() => fake.store.cards.query({ limit }), [limit])
    const { operations } = useOperations()
    const pending = useSyncStatus((status) => status.pending)
    return (
      <ul title={`${useStore().user} ${operations.length} ${pending}`}>
        {data.map((card) => (
          <Row key={card.id} id={card.id} />
        ))}
        <GlobalSyncIndicator />
      </ul>
    )
  }
  return { fake, Page, Row }
}

it('leaves no subscription behind in StrictMode, whatever was mounted, changed and unmounted', async () => {
  const { fake, Page } = setUp()
  for (const id of ['a', 'b', 'c']) fake.put(id)
  const page = (limit: number) => (
    <StrictMode>
      <StoreProvider store={fake.store}>
        <Page limit={limit} />
      </StoreProvider>
    </StrictMode>
  )
  const { rerender, unmount } = render(page(1))
  await act(async () => fake.finishLoading())
  const withOne = fake.subscriptions
  expect(withOne).toBeGreaterThan(0)

  rerender(page(3))
  const withThree = fake.subscriptions
  expect(withThree).toBeGreaterThan(withOne)
  rerender(page(1))
  expect(fake.subscriptions).toBe(withOne)
  await act(async () => fake.put('a', { title: 'changed' }))
  await act(async () => fake.remove('b'))
  rerender(page(3))
  await act(async () => fake.put('b'))
  expect(fake.subscriptions).toBe(withThree)

  unmount()
  expect(fake.subscriptions).toBe(0)
})

it('moves its subscriptions to another store when the provider is given one', async () => {
  const first = setUp()
  const second = createFakeStore()
  const { rerender } = render(
    <StoreProvider store={first.fake.store}>
      <GlobalSyncIndicator />
    </StoreProvider>,
  )
  expect(first.fake.subscriptions).toBe(1)
  rerender(
    <StoreProvider store={second.store}>
      <GlobalSyncIndicator />
    </StoreProvider>,
  )
  expect(first.fake.subscriptions).toBe(0)
  expect(second.subscriptions).toBe(1)
})

it('subscribes to nothing in a render that is never shown', async () => {
  const { fake, Page } = setUp()
  fake.put('a')
  fake.finishLoading()
  let arrive = () => {}
  let arrived = false
  const arrival = new Promise<void>((resolve) => {
    arrive = () => {
      arrived = true
      resolve()
    }
  })
  const Late = () => {
    if (!arrived) throw arrival
    return null
  }
  const { unmount } = render(
    <StrictMode>
      <StoreProvider store={fake.store}>
        <Suspense fallback="…">
          <Page limit={1} />
          <Late />
        </Suspense>
      </StoreProvider>
    </StrictMode>,
  )
  await act(async () => {})
  expect(fake.subscriptions).toBe(0)
  await act(async () => arrive())
  expect(fake.subscriptions).toBeGreaterThan(0)
  unmount()
  expect(fake.subscriptions).toBe(0)
})

it('does not miss a change between the first render and the subscription', async () => {
  const { fake, Row } = setUp()
  fake.put('a', { title: 'before' })
  fake.finishLoading()
  const Meddle = () => {
    useState(() => queueMicrotask(() => fake.put('a', { title: 'after' })))
    return null
  }
  await act(async () => {
    render(
      <StoreProvider store={fake.store}>
        <Row id="a" />
        <Meddle />
      </StoreProvider>,
    )
  })
  expect(screen.getByRole('listitem').textContent).toContain('after')
})

it('never shows two states of an entity in one picture, also when a slow render is interrupted', async () => {
  const { fake } = setUp()
  fake.put('a', { title: '0' })
  fake.finishLoading()
  const pictures: string[] = []
  const Slow = ({ at }: { readonly at: number }) => {
    const title = useEntity(fake.store.cards, 'a').data?.title
    // A write lands while the tree is rendered half.
    if (at === 5 && title === '0') fake.put('a', { title: '1' })
    return <i>{title}</i>
  }
  let open = () => {}
  const Page = () => {
    const [isOpen, setOpen] = useState(false)
    open = () => startTransition(() => setOpen(true))
    return isOpen && Array.from({ length: 10 }, (_, at) => <Slow key={String(at)} at={at} />)
  }
  const { container } = render(
    <StoreProvider store={fake.store}>
      <Page />
    </StoreProvider>,
  )
  const observer = new MutationObserver(() => pictures.push(container.textContent ?? ''))
  observer.observe(container, { childList: true, subtree: true, characterData: true })
  await act(async () => open())
  observer.disconnect()
  expect(pictures.length).toBeGreaterThan(0)
  for (const picture of pictures) expect(['', '0'.repeat(10), '1'.repeat(10)]).toContain(picture)
  expect(container.textContent).toBe('1'.repeat(10))
})
