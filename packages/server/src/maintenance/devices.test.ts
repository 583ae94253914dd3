import { collection, counter, createMemoryStorage, defineSchema, set, text } from '@tidemark/core'
import { createStore } from '@tidemark/core/node'
import { describe, expect, it, onTestFinished } from 'vitest'
import * as z from 'zod'
import { createRelayServer, type RelayServer } from '../http/index.js'
import { purgeEntity } from './purge-entity.js'
import { purgeUser } from './purge-user.js'
import { makeDirectory } from './world.test-support.js'

const schema = defineSchema({
  version: 1,
  collections: {
    notes: collection({
      title: z.string().min(1),
      link: z.string().optional(),
      tags: set(z.string()),
      votes: counter(),
      body: text(),
    }),
  },
})
const now = (): number => Date.now()

async function serve(data: string, port = 0): Promise<RelayServer> {
  const server = await createRelayServer({ data, port })
  onTestFinished(() => server.close())
  return server
}

async function openDevice(user: string, port: number, storage = createMemoryStorage()) {
  const url = `ws://127.0.0.1:${port}`
  const store = createStore({ schema, user, space: 'team', url, storage })
  onTestFinished(() => store.close())
  await store.ready
  return store
}

type Device = Awaited<ReturnType<typeof openDevice>>

/** Resolves when it holds; looked at whenever anything on the device has changed. */
async function until(store: Device, holds: () => boolean): Promise<void> {
  const query = store.notes.query({})
  while (!holds()) {
    await new Promise<void>((resolve) => {
      const stop = [query.subscribe(done), store.status.subscribe(done)]
      function done(): void {
        for (const end of stop) end()
        resolve()
      }
      if (holds()) done()
    })
  }
}

describe('devices, after a purge', () => {
  it('take what is left of an entity, and lose nothing that others wrote or were about to', async () => {
    const data = makeDirectory()
    const first = await serve(data)
    const storage = createMemoryStorage()
    const ada = await openDevice('ada', first.port)
    const bob = await openDevice('bob', first.port, storage)
    await bob.notes.insert({ id: 'plain', title: 'his', tags: ['his'], votes: 1 }).when('synced')
    await bob.notes.insert({ id: 'typed', title: 'his', body: 'Hello !' }).when('synced')
    await until(
      ada,
      () => ada.notes.get('typed') !== undefined && ada.notes.get('plain') !== undefined,
    )
    ada.notes.update('plain', (note) => {
      note.link = 'hers'
      note.tags.add('hers')
      note.votes.increment(2)
    })
    await ada.notes.update('typed', (note) => note.body.insert(6, 'ada')).when('synced')
    await until(
      bob,
      () => bob.notes.get('typed')?.body === 'Hello ada!' && bob.notes.get('plain')?.votes === 3,
    )
    await ada.close()
    await first.close()
    // What waits was written beside hers.
    const plain = bob.notes.update('plain', (note) => note.tags.add('later'))
    const typed = bob.notes.update('typed', (note) => note.body.insert(10, '?'))
    const inside = bob.notes.update('typed', (note) => note.body.insert(7, '-'))
    await Promise.all([plain, typed, inside].map((operation) => operation.when('saved')))

    expect(await purgeUser({ data, user: 'ada', erase: true, now })).toMatchObject({
      rewritten: ['team/notes/plain', 'team/notes/typed'],
    })
    await serve(data, first.port)
    await Promise.all([plain, typed, inside].map((operation) => operation.when('synced')))
    const eve = await openDevice('eve', first.port)
    await until(
      eve,
      () => eve.notes.get('plain') !== undefined && eve.notes.get('typed') !== undefined,
    )
    for (const store of [bob, eve]) {
      expect(store.notes.get('plain')).toMatchObject({
        title: 'his',
        tags: ['his', 'later'],
        votes: 1,
      })
      expect(store.notes.get('plain')?.link).toBeUndefined()
      expect(store.notes.get('typed')?.body).toBe('Hello -!?')
      expect(store.status.current).toMatchObject({ pending: 0, failed: 0 })
    }
  }, 60_000)

  it('drop an entity that was erased [L23]', async () => {
    const data = makeDirectory()
    const first = await serve(data)
    const bob = await openDevice('bob', first.port)
    await bob.notes.insert({ id: 'one', title: 'first' }).when('synced')
    await bob.notes.insert({ id: 'two', title: 'second' }).when('synced')
    await first.close()
    await purgeEntity({ data, space: 'team', entity: 'notes/one', erase: true })
    await serve(data, first.port)
    await until(bob, () => bob.notes.get('one') === undefined)
    expect(bob.notes.get('two')).toMatchObject({ title: 'second', $status: 'synced' })
  }, 60_000)
})
