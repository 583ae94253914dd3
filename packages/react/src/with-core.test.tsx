import 'fake-indexeddb/auto'
import { act, render, screen, waitFor } from '@testing-library/react'
import { collection, createStore, defineSchema } from '@tidemark/core'
import { type JSX, StrictMode } from 'react'
import { expect, it } from 'vitest'
import * as z from 'zod'
import {
  StoreProvider,
  SyncBadge,
  useEntity,
  useLiveQuery,
  usePresence,
  useStore,
} from './index.js'
import { watchReact } from './render.test-support.js'

watchReact()

const schema = defineSchema({
  version: 1,
  collections: { cards: collection({ title: z.string(), done: z.boolean().default(false) }) },
})

const createAppStore = (user: string) => createStore({ schema, user })
type AppStore = ReturnType<typeof createAppStore>

function Cards(): JSX.Element {
  const { data, isLoading } = useLiveQuery(
    (store: AppStore) => store.cards.query({ where: { done: false }, orderBy: ['title', 'asc'] }),
    [],
  )
  if (isLoading) return <p>loading</p>
  return (
    <ul>
      {data.map(({ id }) => (
        <CardItem key={id} id={id} />
      ))}
    </ul>
  )
}

function CardItem({ id }: { readonly id: string }): JSX.Element {
  const store = useStore<AppStore>()
  const { data, syncStatus } = useEntity(store.cards, id)
  return (
    <li>
      {data?.title}
      <SyncBadge status={syncStatus} />
    </li>
  )
}

const titles = () => screen.queryAllByRole('listitem').map((item) => item.firstChild?.textContent)

it('shows what a real store holds, and follows it', async () => {
  const store = createAppStore('ada')
  const { unmount } = render(
    <StoreProvider store={store}>
      <Cards />
    </StoreProvider>,
  )
  expect(screen.getByText('loading')).toBeTruthy()
  await act(() => store.ready)
  await waitFor(() => expect(screen.queryByText('loading')).toBe(null))

  let id = ''
  await act(async () => {
    id = store.cards.insert({ title: 'Write' }).entity.id
    store.cards.insert({ title: 'Read' })
  })
  expect(titles()).toEqual(['Read', 'Write'])

  await act(async () =>
    store.cards
      .update(id, (card) => {
        card.title = 'Answer'
      })
      .when('saved'),
  )
  expect(titles()).toEqual(['Answer', 'Read'])
  const status = store.cards.get(id)?.$status
  expect(screen.getAllByRole('status')[0]?.dataset['status']).toBe(status)

  await act(async () =>
    store.cards
      .update(id, (card) => {
        card.done = true
      })
      .when('saved'),
  )
  expect(titles()).toEqual(['Read'])
  unmount()
  await store.close()
})

function Here({ at }: { readonly at: string }): JSX.Element {
  const { peers, isLive } = usePresence(useStore<AppStore>(), { at })
  return <p>{`${peers.map(({ user, state }) => `${user} ${state.at}`)} ${isLive}`}</p>
}

it('shows this tab where it is present, in StrictMode and without a relay too', async () => {
  const store = createAppStore('ada')
  const page = (at: string) => (
    <StrictMode>
      <StoreProvider store={store}>
        <Here at={at} />
      </StoreProvider>
    </StrictMode>
  )
  const { rerender, unmount } = render(page('one'))
  await waitFor(() => expect(screen.getByText('ada one false')).toBeTruthy())
  rerender(page('two'))
  await waitFor(() => expect(screen.getByText('ada two false')).toBeTruthy())
  unmount()
  expect(store.presence().current.peers).toEqual([])
  await store.close()
})
