import { act } from '@testing-library/react'
import type { JSX } from 'react'
import { hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { expect, it } from 'vitest'
import { createFakeStore, type FakeStore } from './fake-store.test-support.js'
import {
  GlobalSyncIndicator,
  StoreProvider,
  SyncBadge,
  useEntity,
  useLiveQuery,
  useOperations,
  usePresence,
  useSyncStatus,
} from './index.js'
import { watchReact } from './render.test-support.js'

watchReact()

function App({ fake }: { readonly fake: FakeStore }): JSX.Element {
  return (
    <StoreProvider store={fake.store}>
      <Page fake={fake} />
      <GlobalSyncIndicator />
    </StoreProvider>
  )
}

function Page({ fake }: { readonly fake: FakeStore }): JSX.Element {
  const card = useEntity(fake.store.cards, 'a')
  const cards = useLiveQuery(() => fake.store.cards.query(), [])
  const { operations } = useOperations()
  const { connection, pending } = useSyncStatus()
  const { peers, isLive } = usePresence(fake.store, { name: 'Ada' })
  return (
    <main>
      <h1>{card.isLoading ? 'loading' : card.data?.title}</h1>
      <SyncBadge status={card.syncStatus} />
      <SyncBadge status="synced" />
      <SyncBadge status="pending" showLabel />
      <p>{cards.isLoading ? 'loading' : cards.data.length}</p>
      <p>{`${operations.length} ${connection} ${pending}`}</p>
      <p>{`${peers.length} ${isLive ? 'live' : 'stale'}`}</p>
    </main>
  )
}

it('renders on a server, subscribing to nothing', () => {
  const fake = createFakeStore()
  const html = renderToString(<App fake={fake} />)
  expect(html).toContain('<h1>loading</h1>')
  expect(html).toContain('data-status="synced"')
  expect(html).toContain('data-state="idle"')
  expect(html).toContain('<p>0 stale</p>')
  expect(fake.subscriptions).toBe(0)
  expect(fake.calls).toEqual([])
})

it('hydrates with data that the server did not have, without a mismatch, and then shows it', async () => {
  const server = createFakeStore()
  const container = document.createElement('div')
  container.innerHTML = renderToString(<App fake={server} />)
  document.body.append(container)
  const heading = container.querySelector('h1')

  const browser = createFakeStore()
  browser.put('a', { title: 'Hello', $status: 'error' })
  browser.setStatus({ connection: 'offline', pending: 2, failed: 1 })
  browser.setPeers('', [{ id: 'bob/x', user: 'bob', isSelf: false, state: {} as never }])
  browser.finishLoading()
  await browser.store.ready

  const mismatches: unknown[] = []
  const root = await act(async () =>
    hydrateRoot(container, <App fake={browser} />, {
      onRecoverableError: (error) => mismatches.push(error),
    }),
  )
  expect(mismatches).toEqual([])
  // The server's own element, not one that was made anew.
  expect(container.querySelector('h1')).toBe(heading)
  expect(heading?.textContent).toBe('Hello')
  expect(container.textContent).toContain('0 offline 2')
  expect(container.textContent).toContain('1 live')

  await act(async () => root.unmount())
  expect(browser.subscriptions).toBe(0)
  container.remove()
})
