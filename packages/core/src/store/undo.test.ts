import { describe, expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import {
  collection,
  counter,
  createMemoryDisk,
  createMemoryStorage,
  defineSchema,
  list,
  set,
  text,
} from '../index.js'
import { createStore } from '../node/index.js'

const schema = defineSchema({
  version: 1,
  collections: {
    cards: collection({
      title: z.string(),
      url: z.string().optional(),
      tags: set(z.string()),
      votes: counter(),
      body: text(),
      steps: list(z.string()),
    }),
    boards: collection({ name: z.string() }),
  },
})

async function openStore(disk = createMemoryDisk()) {
  const store = createStore({ schema, user: 'ada', storage: createMemoryStorage({ disk }) })
  onTestFinished(() => store.close())
  await store.ready
  return store
}

async function openCard() {
  const store = await openStore()
  store.cards.insert({ id: 'c', title: 'One', tags: ['a'], body: 'Hello', steps: ['x', 'y'] })
  const fields = () => {
    const { title, url, tags, votes, body, steps } = store.cards.get('c') ?? {}
    return { title, url, tags, votes, body, steps }
  }
  return { store, cards: store.cards, fields }
}

describe('[D10] undo', () => {
  test('writes what was there before, step by step, and redo does it again', async () => {
    const { store, cards, fields } = await openCard()
    const states = [fields()]
    const changes = [
      () => cards.update('c', (card) => Object.assign(card, { title: 'Two' })),
      () => cards.update('c', (card) => Object.assign(card, { url: 'https://example.org' })),
      () =>
        cards.update('c', (card) => {
          card.tags.add('b')
          card.tags.delete('a')
        }),
      () => cards.update('c', (card) => card.votes.increment(3)),
      () =>
        cards.update('c', (card) => {
          card.body.delete(0, 1)
          card.body.insert(0, 'J')
        }),
      () =>
        cards.update('c', (card) => {
          card.steps.delete(0)
          card.steps.push('z')
        }),
    ]
    for (const change of changes) {
      change()
      states.push(fields())
    }
    for (let step = changes.length; step > 0; step--) {
      expect(fields()).toEqual(states[step])
      expect(store.undo()?.entities).toEqual([{ collection: 'cards', id: 'c' }])
      expect(fields()).toEqual(states[step - 1])
    }
    for (let step = 1; step <= changes.length; step++) {
      store.redo()
      expect(fields()).toEqual(states[step])
    }
    expect(store.redo()).toBeUndefined()
  })

  test('of an insertion deletes, of a deletion restores, of a transaction both at once', async () => {
    const store = await openStore()
    store.cards.insert({ id: 'c', title: 'One' })
    store.undo()
    expect(store.cards.get('c')).toBeUndefined()
    store.redo()
    expect(store.cards.get('c')?.title).toBe('One')
    store.transact((tx) => {
      tx.cards.delete('c')
      tx.boards.insert({ id: 'b', name: 'Board' })
    })
    store.undo()
    expect(store.cards.get('c')?.title).toBe('One')
    expect(store.boards.get('b')).toBeUndefined()
  })

  test('takes back the last change of a field, and then the one before, whatever lies between', async () => {
    const { store, cards } = await openCard()
    cards.update('c', (card) => Object.assign(card, { title: 'Two' }))
    cards.update('c', (card) => Object.assign(card, { url: 'kept' }))
    // Overwrites what the first change wrote, and can be undone itself.
    cards.update('c', (card) => Object.assign(card, { title: 'Three' }))
    store.undo()
    expect(cards.get('c')).toMatchObject({ title: 'Two', url: 'kept' })
    store.undo()
    store.undo()
    expect(cards.get('c')).toMatchObject({ title: 'One', url: undefined })
  })

  test('keeps text that was typed since around and inside of what is taken back', async () => {
    const { store, cards } = await openCard()
    cards.update('c', (card) => card.body.insert(5, ' world'))
    const live = cards.open('c')
    live.text('body').insert(8, '-OTHER-')
    live.close()
    expect(cards.get('c')?.body).toBe('Hello wo-OTHER-rld')
    store.undo()
    expect(cards.get('c')?.body).toBe('Hello-OTHER-')
    store.redo()
    expect(cards.get('c')?.body).toContain('-OTHER-')
    expect(cards.get('c')?.body.replace('-OTHER-', '')).toBe('Hello world')
  })

  test('of a deletion and then of what was deleted leaves nothing behind', async () => {
    const { store, cards } = await openCard()
    cards.update('c', (card) => card.body.insert(5, ' there'))
    cards.update('c', (card) => card.body.delete(3, 6))
    store.undo()
    expect(cards.get('c')?.body).toBe('Hello there')
    store.undo()
    expect(cards.get('c')?.body).toBe('Hello')
    store.redo()
    store.redo()
    expect(cards.get('c')?.body).toBe('Helre')
    store.undo()
    store.undo()
    expect(cards.get('c')?.body).toBe('Hello')
  })

  test('tells whether there is something to undo or to redo, and begins anew after a new change', async () => {
    const { store, cards } = await openCard()
    const told: unknown[] = []
    store.history.subscribe((state) => told.push(state))
    expect(store.history.current).toEqual({ canUndo: true, canRedo: false })
    cards.update('c', (card) => Object.assign(card, { title: 'Two' }))
    store.undo()
    expect(store.history.current).toEqual({ canUndo: true, canRedo: true })
    cards.update('c', (card) => Object.assign(card, { title: 'Three' }))
    expect(store.history.current).toEqual({ canUndo: true, canRedo: false })
    expect(store.redo()).toBeUndefined()
    await Promise.resolve()
    expect(told.length).toBeGreaterThan(0)
  })

  test('[L25] of what was rolled back is nothing', async () => {
    const { store, cards } = await openCard()
    const op = cards.update('c', (card) => Object.assign(card, { title: 'Two' }))
    await op.rollback()
    store.undo()
    // What is undone is the insertion before it.
    expect(cards.get('c')).toBeUndefined()
  })

  test('goes back a hundred steps and no further', async () => {
    const { store, cards } = await openCard()
    for (let step = 1; step <= 105; step++)
      cards.update('c', (card) => Object.assign(card, { title: String(step) }))
    let undone = 0
    while (store.undo() !== undefined) undone += 1
    expect(undone).toBe(100)
    expect(cards.get('c')?.title).toBe('5')
  })
})
