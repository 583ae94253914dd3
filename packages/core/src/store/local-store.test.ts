import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { collection, createMemoryDisk, createMemoryStorage, defineSchema, set } from '../index.js'
import { createStore } from '../node/index.js'

const schema = defineSchema({
  version: 1,
  collections: {
    cards: collection({
      title: z.string().min(1),
      done: z.boolean().default(false),
      url: z.url().optional(),
      tags: set(z.string()),
    }),
  },
})

async function openStore(disk = createMemoryDisk()) {
  const store = createStore({ schema, user: 'ada', storage: createMemoryStorage({ disk }) })
  await store.ready
  return store
}

describe('a store without a relay', () => {
  test('inserts, reads, updates, deletes and restores', async () => {
    const store = await openStore()
    const { entity, when } = store.cards.insert({ title: 'Hello', tags: ['b', 'a'] })
    expect(store.cards.get(entity.id)).toMatchObject({
      title: 'Hello',
      done: false,
      tags: ['a', 'b'],
      $status: 'pending',
    })
    await when('saved')
    store.cards.update(entity.id, (card) => {
      card.title = 'Hi'
      card.tags.add('c')
      card.tags.delete('a')
    })
    expect(store.cards.get(entity.id)).toMatchObject({ title: 'Hi', tags: ['b', 'c'] })
    store.cards.delete(entity.id)
    expect(store.cards.get(entity.id)).toBeUndefined()
    store.cards.restore(entity.id)
    expect(store.cards.get(entity.id)).toMatchObject({ title: 'Hi', tags: ['b', 'c'] })
    await store.close()
  })

  test('[A3] keeps everything over a restart', async () => {
    const disk = createMemoryDisk()
    const first = await openStore(disk)
    const { entity } = first.cards.insert({ title: 'Kept' })
    first.cards.update(entity.id, (card) => {
      card.done = true
    })
    await first.close()
    const second = await openStore(disk)
    expect(second.cards.get(entity.id)).toMatchObject({
      title: 'Kept',
      done: true,
      $status: 'pending',
    })
    expect(second.operations.list()).toHaveLength(2)
    await second.close()
  })

  test('refuses a value that does not fit, names the field, and changes nothing', async () => {
    const store = await openStore()
    expect(() => store.cards.insert({ title: '' })).toThrow(/cards\.title/)
    const { entity } = store.cards.insert({ title: 'Fine' })
    expect(() =>
      store.cards.update(entity.id, (card) => {
        card.done = true
        card.url = 'nonsense'
      }),
    ).toThrow(/cards\.url/)
    expect(store.cards.get(entity.id)).toMatchObject({ title: 'Fine', done: false })
    await store.close()
  })

  test('a live query keeps order and identity', async () => {
    const store = await openStore()
    const query = store.cards.query({ where: { done: false }, orderBy: ['title', 'asc'] })
    const seen: string[][] = []
    const stop = query.subscribe((rows) => seen.push(rows.map((row) => row.title)))
    const b = store.cards.insert({ title: 'b' })
    store.cards.insert({ title: 'a' })
    expect(query.current.map((row) => row.title)).toEqual(['a', 'b'])
    await b.when('saved')
    const before = query.current
    store.cards.update(b.entity.id, (card) => {
      card.title = 'b'
    })
    expect(query.current).toBe(before)
    store.cards.update(b.entity.id, (card) => {
      card.done = true
    })
    await Promise.resolve()
    expect(seen).toEqual([['a', 'b'], ['a']])
    stop()
    await store.close()
  })

  test('[BAT-4] a transaction is all or nothing', async () => {
    const store = await openStore()
    expect(() =>
      store.transact((tx) => {
        tx.cards.insert({ title: 'one' })
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(store.cards.query().current).toHaveLength(0)
    const op = store.transact((tx) => {
      const id = tx.cards.insert({ title: 'one' })
      tx.cards.update(id, (card) => {
        card.title = `${card.title}!`
      })
      tx.cards.insert({ title: 'two' })
    })
    expect(store.cards.query({ orderBy: ['title'] }).current.map((row) => row.title)).toEqual([
      'one!',
      'two',
    ])
    expect(store.operations.list()).toHaveLength(1)
    await op.when('saved')
    await store.close()
  })

  test('refuses an asynchronous transaction, and changes nothing', async () => {
    const store = await openStore()
    const later = async (insert: () => void): Promise<void> => {
      insert()
      await Promise.resolve()
    }
    expect(() =>
      store.transact((tx) => later(() => tx.cards.insert({ title: 'one' })) as never),
    ).toThrow(/asynchronous/)
    expect(store.cards.query().current).toHaveLength(0)
    await store.close()
  })
})
