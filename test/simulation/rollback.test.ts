import { collection, counter, defineSchema, set, text } from '@tidemark/core'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createScenario } from './scenario.js'

const schema = defineSchema({
  version: 1,
  collections: {
    posts: collection({
      title: z.string(),
      place: z.string().optional(),
      body: text(),
      likes: set(z.string()),
      views: counter(),
    }),
  },
})

/** A post that the relay has, and a device that is offline. */
async function openPost() {
  const scenario = createScenario(schema)
  const device = scenario.device('ada')
  const { store } = await scenario.wait(device.open())
  const bob = await scenario.wait(scenario.device('bob').open())
  await scenario.wait(store.posts.insert({ id: 'p', title: 'Tides', body: 'Ebb' }).when('synced'))
  await scenario.until(() => bob.store.posts.get('p') !== undefined)
  const goOffline = async (): Promise<void> => {
    device.online = false
    for (const wire of [...scenario.network.wires]) wire.cut()
    await scenario.until(() => store.status.current.connection === 'offline')
  }
  const goOnline = async (): Promise<void> => {
    device.online = true
    device.hint()
    await scenario.until(() => store.status.current.connection === 'online')
  }
  return { scenario, device, store, posts: store.posts, bob: bob.store, goOffline, goOnline }
}

describe('rolling an operation back', () => {
  test('[RB-1] leaves later operations on other fields, and edits from elsewhere', async () => {
    const { scenario, posts, bob, goOffline, goOnline } = await openPost()
    await goOffline()
    const first = posts.update('p', (post) => {
      post.title = 'Wrong'
    })
    posts.update('p', (post) => {
      post.place = 'Dover'
    })
    await scenario.wait(first.rollback())
    expect(posts.get('p')).toMatchObject({ title: 'Tides', place: 'Dover', $status: 'pending' })
    await scenario.wait(bob.posts.update('p', (post) => post.likes.add('bob')).when('synced'))
    await goOnline()
    await scenario.until(() => bob.posts.get('p')?.place === 'Dover')
    expect(bob.posts.get('p')).toMatchObject({ title: 'Tides', likes: ['bob'] })
    await expect(first.when('synced')).rejects.toMatchObject({ code: 'operation-discarded' })
  })

  test('[RB-2] in the middle of a chain on one field, on a text and on a counter leaves the others', async () => {
    const { scenario, posts, goOffline, goOnline, bob } = await openPost()
    await goOffline()
    const chain = ['1', '2', '3', '4', '5'].map((step) =>
      posts.update('p', (post) => {
        post.title += step
        post.body.insert(post.body.length, step)
        post.views.increment(Number(step))
      }),
    )
    await scenario.wait(chain[1]?.rollback() ?? Promise.reject())
    expect(posts.get('p')).toMatchObject({ title: 'Tides12345', body: 'Ebb1345', views: 13 })
    await scenario.wait(chain[4]?.rollback() ?? Promise.reject())
    expect(posts.get('p')).toMatchObject({ title: 'Tides1234', body: 'Ebb134', views: 8 })
    await goOnline()
    await scenario.until(() => bob.posts.get('p')?.views === 8)
    expect(bob.posts.get('p')).toMatchObject({ title: 'Tides1234', body: 'Ebb134' })
    expect(bob.posts.get('p')?.$conflicts).toEqual({})
  })

  test('[C5] of everything on an entity ends with what the relay has', async () => {
    const { scenario, posts, store, goOffline } = await openPost()
    const confirmed = posts.get('p')
    await goOffline()
    for (const step of ['a', 'b', 'c'])
      posts.update('p', (post) => {
        post.title = step
        post.body.insert(0, step)
        post.likes.add(step)
      })
    await scenario.wait(store.operations.rollbackAll({ collection: 'posts', id: 'p' }))
    expect(posts.get('p')).toEqual(confirmed)
    expect(store.operations.current).toEqual([])
    expect(store.status.current).toMatchObject({ pending: 0, failed: 0 })
  })

  test('of a transaction takes back all of its entities [RB-3]', async () => {
    const { scenario, posts, store, goOffline } = await openPost()
    await goOffline()
    const both = store.transact((tx) => {
      tx.posts.insert({ id: 'q', title: 'New' })
      tx.posts.update('p', (post) => {
        post.title = 'With a new one'
      })
    })
    posts.update('q', (post) => {
      post.place = 'nowhere'
    })
    await scenario.wait(both.rollback())
    expect(posts.get('p')?.title).toBe('Tides')
    expect(posts.get('q')).toBeUndefined()
    // What was written on top of it isn't thrown away silently.
    expect(store.operations.list({ state: 'failed' })).toMatchObject([
      { lastError: { code: 'predecessor-rejected' }, values: [{ place: 'nowhere' }] },
    ])
  })

  test('[L10] waits for the fate of what may have been sent, and says when it is too late', async () => {
    const { scenario, device, posts, bob, goOnline } = await openPost()
    const op = posts.update('p', (post) => {
      post.title = 'Sent'
    })
    await scenario.wait(op.when('saved'))
    await scenario.until(() => posts.get('p')?.$status === 'syncing')
    device.online = false
    for (const wire of [...scenario.network.wires]) wire.blackhole('down')
    const rollback = op.rollback()
    let settled = false
    rollback
      .catch(() => undefined)
      .finally(() => {
        settled = true
      })
    await scenario.pass(5_000)
    expect(settled).toBe(false)
    for (const wire of [...scenario.network.wires]) wire.cut()
    await goOnline()
    await expect(scenario.wait(rollback)).rejects.toMatchObject({ code: 'operation-synced' })
    await scenario.until(() => bob.posts.get('p')?.title === 'Sent')
    expect(posts.get('p')?.title).toBe('Sent')
  })

  test('in a tab without the link reaches the one that has it, and is seen in both [RB-4]', async () => {
    const { scenario, device, posts, goOffline } = await openPost()
    const tab = await scenario.wait(device.open())
    await goOffline()
    const op = posts.update('p', (post) => {
      post.title = 'Not this'
    })
    await scenario.until(() => tab.store.posts.get('p')?.title === 'Not this')
    await scenario.wait(tab.store.operations.rollback(op.id))
    await scenario.until(() => posts.get('p')?.title === 'Tides')
    expect(tab.store.posts.get('p')?.title).toBe('Tides')
    expect(tab.store.operations.current).toEqual([])
    await expect(op.when('synced')).rejects.toMatchObject({ code: 'operation-discarded' })
  })
})
