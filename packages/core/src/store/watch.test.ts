import { describe, expect, onTestFinished, test, vi } from 'vitest'
import * as z from 'zod'
import { collection, createMemoryDisk, createMemoryStorage, defineSchema, set } from '../index.js'
import { createStore } from '../node/index.js'

const schema = defineSchema({
  version: 1,
  collections: {
    cards: collection({
      title: z.string(),
      done: z.boolean().default(false),
      tags: set(z.string()),
    }),
  },
})

async function openStore() {
  const store = createStore({
    schema,
    user: 'ada',
    storage: createMemoryStorage({ disk: createMemoryDisk() }),
  })
  onTestFinished(() => store.close())
  await store.ready
  store.cards.insert({ id: 'a', title: 'Hello' })
  await store.cards.insert({ id: 'b', title: 'World' }).when('saved')
  return store
}

const microtasks = (): Promise<void> => Promise.resolve()

describe('watching an entity', () => {
  test('tells of each change once after its task, with what is then so', async () => {
    const store = await openStore()
    const listener = vi.fn()
    store.cards.watch('a').subscribe(listener)
    store.cards.update('a', (card) => {
      card.title = 'Hi'
    })
    store.cards.update('a', (card) => {
      card.done = true
    })
    expect(listener).not.toHaveBeenCalled()
    await microtasks()
    expect(listener).toHaveBeenCalledTimes(1)
    expect(listener).toHaveBeenCalledWith(store.cards.get('a'))
    expect(listener.mock.calls[0]?.[0]).toMatchObject({ title: 'Hi', done: true })
  })

  test('says nothing of other entities, nor when nothing changed, nor when something was saved', async () => {
    const store = await openStore()
    const listener = vi.fn()
    store.cards.watch('a').subscribe(listener)
    const before = store.cards.get('a')
    await store.cards
      .update('b', (card) => {
        card.done = true
      })
      .when('saved')
    store.cards.update('a', (card) => {
      card.title = 'Hello'
      card.tags.delete('none')
    })
    expect(() =>
      store.cards.update('a', () => {
        throw new Error('no')
      }),
    ).toThrow('no')
    await microtasks()
    expect(listener).not.toHaveBeenCalled()
    expect(store.cards.get('a')).toBe(before)
    await store.cards
      .update('a', (card) => {
        card.done = true
      })
      .when('saved')
    // Once for the write; the commit changed nothing that shows.
    expect(listener).toHaveBeenCalledTimes(1)
  })

  test('gives the same object as get, before and after', async () => {
    const store = await openStore()
    const watched = store.cards.watch('a')
    expect(watched.current).toBe(store.cards.get('a'))
    expect(watched.current).toBe(watched.current)
    store.cards.update('a', (card) => {
      card.done = true
    })
    // Reading is never behind: no listener is needed for it.
    expect(watched.current).toMatchObject({ done: true })
    expect(watched.current).toBe(store.cards.get('a'))
  })

  test('tells of coming, going and coming back', async () => {
    const store = await openStore()
    const seen: (string | undefined)[] = []
    const watched = store.cards.watch('c')
    expect(watched.current).toBeUndefined()
    watched.subscribe((card) => seen.push(card?.title))
    store.cards.insert({ id: 'c', title: 'New' })
    await microtasks()
    store.cards.delete('c')
    await microtasks()
    store.cards.restore('c')
    await microtasks()
    expect(seen).toEqual(['New', undefined, 'New'])
  })

  test('ends where it was ended, and for that listener only', async () => {
    const store = await openStore()
    const [first, second] = [vi.fn(), vi.fn()]
    const watched = store.cards.watch('a')
    const leave = watched.subscribe(first)
    watched.subscribe(second)
    // Twice is once: it must not take the other one along.
    leave()
    leave()
    store.cards.update('a', (card) => {
      card.done = true
    })
    await microtasks()
    expect(first).not.toHaveBeenCalled()
    expect(second).toHaveBeenCalledTimes(1)
  })

  test('may begin again after the last one has left', async () => {
    const store = await openStore()
    const watched = store.cards.watch('a')
    for (let round = 0; round < 3; round++) {
      const listener = vi.fn()
      const leave = watched.subscribe(listener)
      store.cards.update('a', (card) => {
        card.title = `round ${round}`
      })
      await microtasks()
      leave()
      store.cards.update('a', (card) => {
        card.title = 'unheard'
      })
      await microtasks()
      expect(listener).toHaveBeenCalledTimes(1)
    }
  })

  test('says nothing of what changed before, to whoever comes between a change and its telling', async () => {
    const store = await openStore()
    const [early, late] = [vi.fn(), vi.fn()]
    store.cards.watch('a').subscribe(early)
    store.cards.update('a', (card) => {
      card.done = true
    })
    store.cards.watch('a').subscribe(late)
    await microtasks()
    expect(early).toHaveBeenCalledTimes(1)
    expect(late).not.toHaveBeenCalled()
  })

  test('lets go of a listener that has left, and of what it holds', async () => {
    const store = await openStore()
    const collect = await collector()
    const leaves: (() => void)[] = []
    const refs = Array.from({ length: 100 }, (_, index) => {
      const held = { rows: new Array(1000).fill(index) }
      const id = index % 2 === 0 ? 'a' : `missing-${index}`
      leaves.push(store.cards.watch(id).subscribe(() => void held.rows))
      const query = store.cards.query({ where: { done: false } })
      leaves.push(query.subscribe(() => void held.rows))
      return new WeakRef(held)
    })
    await collect()
    expect(alive(refs)).toBe(100)
    leaves.splice(0).forEach((leave) => {
      leave()
    })
    store.cards.update('a', (card) => {
      card.done = true
    })
    await microtasks()
    await collect()
    // The engine may still hold what it looked at last.
    expect(alive(refs)).toBeLessThanOrEqual(1)
  })
})

describe('watching status and operations', () => {
  test('tells once after a task, and only of something else', async () => {
    const store = await openStore()
    const status = vi.fn()
    const operations = vi.fn()
    store.status.subscribe(status)
    store.operations.subscribe(operations)
    expect(store.status.current).toMatchObject({ connection: 'local', pending: 2 })
    expect(store.status.current).toBe(store.status.current)
    store.cards.update('a', (card) => {
      card.done = true
    })
    store.cards.update('b', (card) => {
      card.done = true
    })
    await microtasks()
    expect(status).toHaveBeenCalledTimes(1)
    expect(status).toHaveBeenCalledWith(expect.objectContaining({ pending: 4 }))
    expect(operations).toHaveBeenCalledTimes(1)
    const list = store.operations.current
    expect(store.operations.current).toBe(list)
    store.cards.update('a', (card) => {
      card.done = true
    })
    await microtasks()
    expect(status).toHaveBeenCalledTimes(1)
    expect(store.operations.current).toBe(list)
  })
})

function alive(refs: readonly WeakRef<object>[]): number {
  return refs.filter((ref) => ref.deref() !== undefined).length
}

/** Runs the garbage collector of V8, which is there once it is asked for. */
async function collector(): Promise<() => Promise<void>> {
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  return async () => {
    // A reference is let go of only after the task that read it.
    await new Promise((resolve) => setImmediate(resolve))
    gc()
  }
}
