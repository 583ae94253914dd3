// biome-ignore-all lint/correctness/noComponentHookFactories: a component of a test closes over the store of that test.
import { act } from '@testing-library/react'
import type { StoreStatus } from '@tidemark/core'
import { expect, it } from 'vitest'
import { createFakeStore } from '../fake-store.test-support.js'
import { useSyncStatus } from '../index.js'
import { renderWithStore, watchReact } from '../render.test-support.js'

watchReact()

async function watchSelection<T>(select: (status: StoreStatus) => T) {
  const fake = createFakeStore()
  const seen: T[] = []
  const Look = () => {
    // A new function each time, as an inline one is.
    seen.push(useSyncStatus((status) => select(status)))
    return null
  }
  const { rerender } = await renderWithStore(fake, <Look />)
  return { fake, seen, again: () => rerender(<Look />) }
}

it('gives the status of the store, the same object until it changes', async () => {
  const fake = createFakeStore()
  const seen: StoreStatus[] = []
  const Look = () => {
    seen.push(useSyncStatus())
    return null
  }
  await renderWithStore(fake, <Look />)
  expect(seen.at(-1)).toBe(fake.store.status.current)
  await act(async () => fake.setStatus({ connection: 'offline', pending: 2 }))
  expect(seen.at(-1)).toMatchObject({ connection: 'offline', pending: 2 })
  expect(seen).toHaveLength(2)
})

it('renders again only when the selected part changes', async () => {
  const { fake, seen } = await watchSelection((status) => status.pending + status.syncing > 0)
  await act(async () => fake.setStatus({ pending: 1 }))
  await act(async () => fake.setStatus({ pending: 2 }))
  await act(async () => fake.setStatus({ pending: 1, syncing: 1 }))
  expect(seen).toEqual([false, true])
})

it('keeps a selected object while its members are the same', async () => {
  const { fake, seen, again } = await watchSelection(({ connection, failed }) => ({
    connection,
    failed,
  }))
  await act(async () => fake.setStatus({ pending: 1 }))
  expect(seen).toHaveLength(1)
  again()
  expect(seen).toHaveLength(2)
  expect(seen[1]).toBe(seen[0])
  await act(async () => fake.setStatus({ failed: 1 }))
  expect(seen.at(-1)).toEqual({ connection: 'online', failed: 1 })
})

it('takes objects whose keys do not show their value as they are', async () => {
  const { fake, seen } = await watchSelection((status) => new Date(status.lastSyncedAt ?? 0))
  await act(async () => fake.setStatus({ lastSyncedAt: 5 }))
  expect(seen.at(-1)?.getTime()).toBe(5)
})
