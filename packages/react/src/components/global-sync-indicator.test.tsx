import { act, screen } from '@testing-library/react'
import type { StoreStatus } from '@tidemark/core'
import { beforeEach, expect, it, vi } from 'vitest'
import { createFakeStore } from '../fake-store.test-support.js'
import { GlobalSyncIndicator, type GlobalSyncIndicatorLabels } from '../index.js'
import { renderWithStore, watchReact } from '../render.test-support.js'

watchReact()

beforeEach(() => {
  vi.useFakeTimers()
})

const pass = (milliseconds: number) => act(async () => vi.advanceTimersByTimeAsync(milliseconds))

async function show(
  status: Partial<StoreStatus> = {},
  labels?: Partial<GlobalSyncIndicatorLabels>,
) {
  const fake = createFakeStore()
  fake.setStatus(status)
  const { container } = await renderWithStore(fake, <GlobalSyncIndicator labels={labels} />)
  return {
    become: (next: Partial<StoreStatus>) => act(async () => fake.setStatus(next)),
    get text() {
      return container.querySelector('.tidemark-indicator-pill')?.textContent
    },
    get announced() {
      return screen.getByRole('status').textContent
    },
    get state() {
      return container.querySelector<HTMLElement>('.tidemark-indicator')?.dataset['state']
    },
  }
}

it.each<[string, Partial<StoreStatus>, string | undefined]>([
  ['idle', {}, undefined],
  ['idle', { connection: 'connecting' }, undefined],
  ['syncing', { syncing: 1 }, 'Syncing 1 change…'],
  ['syncing', { syncing: 1, pending: 2 }, 'Syncing 3 changes…'],
  ['waiting', { pending: 2 }, '2 changes waiting'],
  ['waiting', { pending: 1, connection: 'connecting' }, '1 change waiting'],
  ['offline', { connection: 'offline' }, 'Offline'],
  ['offline', { connection: 'offline', pending: 3 }, '3 changes waiting · offline'],
  ['unauthorized', { connection: 'unauthorized' }, 'Sign in to sync'],
  [
    'unauthorized',
    { connection: 'unauthorized', pending: 1 },
    '1 change waiting · sign in to sync',
  ],
  ['incompatible', { connection: 'incompatible' }, 'Update the app to sync'],
  ['failed', { failed: 1 }, '1 change failed'],
  ['failed', { failed: 2, syncing: 1 }, '2 changes failed · Syncing 1 change…'],
  [
    'failed',
    { failed: 1, pending: 2, connection: 'offline' },
    '1 change failed · 2 changes waiting · offline',
  ],
])('in state %s with %o says %s', async (state, status, text) => {
  const indicator = await show(status)
  await pass(300)
  expect(indicator.state).toBe(state)
  expect(indicator.text).toBe(text)
})

it('shows nothing of what is over within 300 ms, and tells the true state all the while', async () => {
  const indicator = await show()
  await indicator.become({ pending: 1 })
  expect(indicator.state).toBe('waiting')
  await pass(150)
  await indicator.become({ pending: 0, syncing: 1 })
  expect(indicator.state).toBe('syncing')
  await pass(149)
  expect(indicator.text).toBe(undefined)
  await indicator.become({ syncing: 0 })
  await pass(1000)
  expect(indicator.text).toBe(undefined)
  expect(indicator.announced).toBe('')
})

it('appears when it lasts, counts down, and goes at once', async () => {
  const indicator = await show()
  await indicator.become({ syncing: 2 })
  await pass(300)
  expect(indicator.text).toBe('Syncing 2 changes…')
  await indicator.become({ syncing: 1 })
  expect(indicator.text).toBe('Syncing 1 change…')
  await indicator.become({ syncing: 0 })
  expect(indicator.text).toBe(undefined)
  expect(indicator.state).toBe('idle')
})

it('shows a failure at once', async () => {
  const indicator = await show()
  await indicator.become({ failed: 1 })
  expect(indicator.text).toBe('1 change failed')
})

it('says at once what keeps changes from being saved, before anything about the connection', async () => {
  const indicator = await show({ connection: 'offline', pending: 1 })
  await pass(300)
  const error = { code: 'storage-failed', message: 'The disk is full. Free some space.' }
  await indicator.become({ error })
  expect(indicator.state).toBe('blocked')
  expect(indicator.text).toBe('The disk is full. Free some space.')
  expect(indicator.announced).toBe('The disk is full. Free some space.')
  await indicator.become({ error: null })
  expect(indicator.state).toBe('offline')
  await pass(300)
  expect(indicator.text).toBe('1 change waiting · offline')
})

it('does not flash another state while one is shown', async () => {
  const indicator = await show({ pending: 1 })
  await pass(300)
  await indicator.become({ pending: 0, syncing: 1 })
  expect(indicator.text).toBe('1 change waiting')
  await pass(299)
  await indicator.become({ pending: 1, syncing: 0 })
  await pass(1000)
  expect(indicator.text).toBe('1 change waiting')
})

it('announces a state politely and once, whatever its count does', async () => {
  const indicator = await show()
  expect(screen.getByRole('status').getAttribute('aria-live')).toBe('polite')
  await indicator.become({ connection: 'offline', pending: 1 })
  await pass(300)
  expect(indicator.announced).toBe('1 change waiting · offline')
  await indicator.become({ pending: 2 })
  expect(indicator.announced).toBe('1 change waiting · offline')
  expect(indicator.text).toBe('2 changes waiting · offline')
  await pass(5000)
  expect(indicator.announced).toBe('')
  await indicator.become({ pending: 3 })
  expect(indicator.announced).toBe('')
  await indicator.become({ connection: 'online', pending: 2, syncing: 1 })
  await pass(300)
  expect(indicator.announced).toBe('Syncing 3 changes…')
})

it('announces each further failure', async () => {
  const indicator = await show({ failed: 1 })
  expect(indicator.announced).toBe('1 change failed')
  await indicator.become({ failed: 2 })
  expect(indicator.announced).toBe('2 changes failed')
})

it('takes texts of its own, some or all', async () => {
  const indicator = await show({ failed: 2 }, { failed: (count) => `${count} fehlgeschlagen` })
  expect(indicator.text).toBe('2 fehlgeschlagen')
  await indicator.become({ failed: 0, syncing: 1 })
  await pass(300)
  expect(indicator.text).toBe('Syncing 1 change…')
})
