import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import {
  collection,
  createMemoryDisk,
  createMemoryStorage,
  defineSchema,
  isTidemarkError,
  type MemoryDisk,
  set,
  text,
} from '../index.js'
import { createStore } from '../node/index.js'
import { type Client, createClient, type Log, syncAll } from './migration-clients.test-support.js'

const first = defineSchema({
  version: 1,
  collections: {
    cards: collection({ name: z.string().min(1), tags: set(z.string()), notes: text() }),
  },
})

const second = defineSchema({
  version: 2,
  collections: {
    cards: collection({
      title: z.string().min(3),
      rank: z.number().default(0),
      tags: set(z.string()),
      notes: text(),
    }),
  },
  migrations: {
    2: {
      cards: ({ name, tags }) => {
        if (name === 'broken') throw new Error('no such name')
        return { title: name, rank: Array.isArray(tags) ? tags.length : 0 }
      },
    },
  },
})

const storageOf = (disk: MemoryDisk) => createMemoryStorage({ disk })

async function openFirst(disk = createMemoryDisk()) {
  const store = createStore({ schema: first, user: 'ada', storage: storageOf(disk) })
  await store.ready
  return store
}

async function openSecond(disk: MemoryDisk) {
  const store = createStore({ schema: second, user: 'ada', storage: storageOf(disk) })
  await store.ready
  return store
}

/** A disk that an app of the first version has written. */
async function diskWith(...names: string[]): Promise<MemoryDisk> {
  const disk = createMemoryDisk()
  const store = await openFirst(disk)
  for (const name of names) store.cards.insert({ id: name, name, tags: ['a', 'b'], notes: 'Hi' })
  await store.close()
  return disk
}

function refusal(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    if (isTidemarkError(error)) return error
    throw error
  }
  throw new Error('it passes')
}

describe('a conflict in a field that a migration rewrites', () => {
  const fields = { title: z.string(), done: z.boolean().default(false) }
  const shout = (version: number) =>
    defineSchema({
      version,
      collections: { cards: collection(fields) },
      migrations:
        version === 1 ? {} : { 2: { cards: ({ title }) => ({ title: `${String(title)}!` }) } },
    })

  test('[L3] stays visible with the migrated value first, until somebody settles it', () => {
    const log: Log = []
    const [ada, bob] = [createClient(1, shout(1), log), createClient(2, shout(1), log)]
    ada.insert({ title: 'Hello' })
    syncAll([ada, bob])
    ada.update((card: { title: string }) => {
      card.title = 'Ada'
    })
    bob.update((card: { title: string }) => {
      card.title = 'Bob'
    })
    syncAll([ada, bob])
    const newer = [3, 4].map((number) => createClient(number, shout(2), log))
    for (const client of newer) client.receive()
    const rivals = (client: Client) => client.row()?.$conflicts['title']?.map(({ value }) => value)
    const [third, fourth] = newer as [Client, Client]
    expect(rivals(third)).toEqual(['Bob!', 'Ada'])
    for (const client of newer)
      client.update((card: { done: boolean }) => {
        card.done = true
      })
    syncAll(newer)
    for (const client of newer) {
      expect(client.fields()).toMatchObject({ title: 'Bob!', done: true })
      expect(rivals(client)).toEqual(['Bob!', 'Ada'])
    }
    third.update((card: { title: string }) => {
      card.title = 'Both'
    })
    syncAll(newer)
    expect(fourth.fields()).toMatchObject({ title: 'Both' })
    expect(rivals(fourth)).toBeUndefined()
  })
})

describe('a store whose schema has a newer version', () => {
  test('[A4] opens what the older one wrote, and keeps the operations that wait', async () => {
    const disk = await diskWith('Hello', 'World')
    const store = await openSecond(disk)
    expect(store.cards.get('Hello')).toMatchObject({ title: 'Hello', rank: 2, notes: 'Hi' })
    expect(store.cards.get('Hello')).toBe(store.cards.get('Hello'))
    expect(store.operations.list()).toHaveLength(2)
    await store.close()
  })

  test('[A4] an older version opens what the newer one wrote, with the fields that it knows', async () => {
    const disk = await diskWith('Hello')
    const store = await openSecond(disk)
    store.cards.update('Hello', (card) => {
      card.rank = 7
    })
    store.cards.insert({ id: 'new', title: 'Brand new' })
    await store.close()
    const older = await openFirst(disk)
    expect(older.cards.get('Hello')).toMatchObject({ name: 'Hello', tags: ['a', 'b'] })
    older.cards.update('Hello', (card) => {
      card.tags.add('c')
    })
    older.cards.update('new', (card) => {
      card.name = 'Brand'
    })
    expect(older.operations.list()).toHaveLength(5)
    await older.close()
    const again = await openSecond(disk)
    expect(again.cards.get('Hello')).toMatchObject({
      title: 'Hello',
      rank: 7,
      tags: ['a', 'b', 'c'],
    })
    expect(again.cards.get('new')).toMatchObject({ title: 'Brand new' })
    await again.close()
  })

  test('[SCH-2] writes the migration down with the first change, in one operation', async () => {
    const store = await openSecond(await diskWith('Hello'))
    store.cards.update('Hello', (card) => {
      card.title = card.title.toUpperCase()
      card.tags.add('c')
    })
    expect(store.operations.list().at(-1)?.values).toEqual([
      { title: 'HELLO', rank: 2, $schema: 2, 'tags:c': true },
    ])
    expect(store.cards.get('Hello')).toMatchObject({ title: 'HELLO', rank: 2, $conflicts: {} })
    store.cards.update('Hello', (card) => {
      card.rank = 3
    })
    expect(store.operations.list().at(-1)?.values).toEqual([{ rank: 3 }])
    await store.close()
  })

  test('[SCH-2] writes nothing down while nothing is changed, deleted, restored or typed', async () => {
    const store = await openSecond(await diskWith('Hello'))
    store.cards.update('Hello', (card) => {
      card.title = 'Hello'
    })
    expect(store.operations.list()).toHaveLength(1)
    store.cards.delete('Hello')
    store.cards.restore('Hello')
    const document = store.cards.open('Hello')
    document.text('notes').insert(0, 'Oh. ')
    document.close()
    const written = store.operations.list().flatMap(({ values }) => values)
    expect(written.some((values) => '$schema' in values)).toBe(false)
    expect(store.cards.get('Hello')).toMatchObject({ title: 'Hello', notes: 'Oh. Hi' })
    await store.close()
  })

  test('queries and transactions see what it has become', async () => {
    const store = await openSecond(await diskWith('Beta', 'Alpha', 'broken'))
    const query = store.cards.query({ where: { rank: 2 }, orderBy: ['title'] })
    const stop = query.subscribe(() => undefined)
    expect(query.current.map(({ title }) => title)).toEqual(['Alpha', 'Beta'])
    store.transact((tx) => {
      expect(tx.cards.get('Beta')).toMatchObject({ title: 'Beta', rank: 2 })
      tx.cards.update('Beta', (card) => {
        expect(card.rank).toBe(2)
        card.title = 'Aaaa'
        expect([...card.tags]).toEqual(['a', 'b'])
      })
      expect(tx.cards.get('Beta')).toMatchObject({ title: 'Aaaa', rank: 2 })
    })
    expect(query.current.map(({ title }) => title)).toEqual(['Aaaa', 'Alpha'])
    stop()
    expect(query.current.map(({ title }) => title)).toEqual(['Aaaa', 'Alpha'])
    await store.close()
  })

  test('shows a value that does not fit, and checks only what is assigned', async () => {
    const store = await openSecond(await diskWith('x'))
    expect(store.cards.get('x')).toMatchObject({ title: 'x', $error: undefined })
    store.cards.update('x', (card) => {
      card.rank = 1
    })
    expect(store.cards.get('x')).toMatchObject({ title: 'x', rank: 1 })
    expect(() =>
      store.cards.update('x', (card) => {
        card.title = 'y'
      }),
    ).toThrow(/cards\.title/)
    await store.close()
  })

  test('shows what can not be migrated as it was, says why, and refuses to write to it', async () => {
    const store = await openSecond(await diskWith('broken', 'Fine'))
    const before = store.cards.get('broken')
    expect(before).toMatchObject({
      title: undefined,
      rank: 0,
      tags: ['a', 'b'],
      $status: 'pending',
    })
    expect(before?.$error).toEqual({
      code: 'migration-failed',
      message: expect.stringMatching(/^cards "broken" .* 2.*no such name/),
    })
    const error = refusal(() =>
      store.transact((tx) => {
        tx.cards.update('Fine', (card) => {
          card.rank = 9
        })
        expect(tx.cards.get('broken')?.$error?.code).toBe('migration-failed')
        tx.cards.update('broken', (card) => {
          card.rank = 9
        })
      }),
    )
    expect(error).toMatchObject({ code: 'migration-failed', path: ['cards', 'broken'] })
    expect(error).toHaveProperty('cause.message', 'no such name')
    expect(store.cards.get('Fine')).toMatchObject({ rank: 2 })
    store.cards.delete('broken')
    expect(store.cards.get('broken')).toBeUndefined()
    await store.close()
  })
})
