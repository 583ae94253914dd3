import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import {
  collection,
  createMemoryDisk,
  createMemoryStorage,
  createStoreOn,
  defineSchema,
  list,
  type Platform,
  text,
  xml,
} from '../index.js'
import { createNodePlatform } from '../node/index.js'

const schema = defineSchema({
  version: 1,
  collections: {
    notes: collection({ title: z.string(), body: text(), steps: list(z.string()), page: xml() }),
  },
})

/** A clock whose timers run when the test says so. */
function manualClock() {
  let now = 1_790_000_000_000
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>()
  return {
    advance(milliseconds: number) {
      now += milliseconds
      for (const timer of [...timers].filter(({ at }) => at <= now)) {
        timers.delete(timer)
        timer.callback()
      }
    },
    clock: {
      now: () => now,
      schedule(callback: () => void, milliseconds: number) {
        const timer = { at: now + milliseconds, callback }
        timers.add(timer)
        return () => void timers.delete(timer)
      },
    },
  }
}

async function openStore(disk = createMemoryDisk(), change: Partial<Platform> = {}) {
  const { clock, advance } = manualClock()
  const platform: Platform = { ...createNodePlatform(), clock, ...change }
  const options = { schema, user: 'ada' }
  const store = createStoreOn(options, platform, createMemoryStorage({ disk }))
  await store.ready
  const { entity } = store.notes.insert({ id: 'n', title: 'Tides', body: 'Ebb' })
  return { store, advance, id: entity.id, disk }
}

describe('an open document', () => {
  test('holds what the entity holds, and types of the names of its fields', async () => {
    const { store, id } = await openStore()
    const live = store.notes.open(id)
    expect(live.text('body').toString()).toBe('Ebb')
    expect(live.list('steps').length).toBe(0)
    expect(live.xml('page').length).toBe(0)
    expect(() => live.text('title' as 'body')).toThrow(/no text field "title".*: body\./)
    await store.close()
  })

  test('makes one operation of what is typed within a window', async () => {
    const { store, id, advance } = await openStore()
    const before = store.operations.current.length
    const live = store.notes.open(id)
    for (const [index, letter] of [...' and flow'].entries())
      live.text('body').insert(3 + index, letter)
    expect(store.operations.current).toHaveLength(before)
    advance(250)
    expect(store.operations.current).toHaveLength(before + 1)
    expect(store.notes.get(id)?.body).toBe('Ebb and flow')
    await store.close()
  })

  test('makes its entity pending with the first letter, before there is an operation', async () => {
    const { store, id, advance } = await openStore()
    const pending = store.status.current.pending
    const live = store.notes.open(id)
    live.text('body').insert(0, 'x')
    expect(store.status.current.pending).toBe(pending + 1)
    expect(store.notes.get(id)?.$status).toBe('pending')
    advance(250)
    expect(store.status.current.pending).toBe(pending + 1)
    await store.close()
  })

  test('counts a typing window as an edit [L6]', async () => {
    const { store, id, advance } = await openStore()
    const before = store.notes.get(id)?.$version
    store.notes.open(id).text('body').insert(0, 'x')
    advance(250)
    const after = store.notes.get(id)?.$version
    expect(after?.sequence).toBe((before?.sequence ?? 0) + 1)
    expect(after?.lastModified).toBeGreaterThan(before?.lastModified ?? 0)
    await store.close()
  })

  test('keeps the order of typing and of other writes', async () => {
    const { store, id } = await openStore()
    const live = store.notes.open(id)
    live.text('body').insert(0, 'A')
    store.notes.update(id, (note) => {
      note.body.insert(1, 'B')
      note.title = 'Moon'
    })
    expect(live.text('body').toString()).toBe('ABEbb')
    expect(store.notes.get(id)).toMatchObject({ title: 'Moon', body: 'ABEbb' })
    live.text('body').insert(2, 'C')
    live.flush()
    expect(store.notes.get(id)?.body).toBe('ABCEbb')
    await store.close()
  })

  test('saves what was typed when it is closed, when the page is hidden, and when the store is closed', async () => {
    let hide = (): void => undefined
    const { store, id, disk } = await openStore(createMemoryDisk(), {
      lifecycle: {
        subscribe: () => () => undefined,
        onHide(listener) {
          hide = listener
          return () => undefined
        },
      },
    })
    const first = store.notes.open(id)
    first.text('body').insert(0, '1')
    first.close()
    expect(store.notes.get(id)?.body).toBe('1Ebb')
    const second = store.notes.open(id)
    second.text('body').insert(0, '2')
    hide()
    expect(store.notes.get(id)?.body).toBe('21Ebb')
    second.text('body').insert(0, '3')
    await store.close()
    const again = createStoreOn(
      { schema, user: 'ada' },
      createNodePlatform(),
      createMemoryStorage({ disk }),
    )
    await again.ready
    expect(again.notes.get(id)?.body).toBe('321Ebb')
    await again.close()
  })

  test('is one document for all who have it open, until the last one closes it', async () => {
    const { store, id } = await openStore()
    const [one, two] = [store.notes.open(id), store.notes.open(id)]
    expect(one.doc).toBe(two.doc)
    one.close()
    one.close()
    two.text('body').insert(0, '>')
    two.close()
    expect(store.notes.get(id)?.body).toBe('>Ebb')
    await store.close()
  })

  test('of an entity that is not there is refused', async () => {
    const { store } = await openStore()
    expect(() => store.notes.open('nobody')).toThrow(
      expect.objectContaining({ code: 'entity-missing' }),
    )
    await store.close()
  })

  test('keeps XML that an editor builds, and shows it as text', async () => {
    const { store, id } = await openStore()
    const { XmlElement, XmlText } = await import('yjs')
    const live = store.notes.open(id)
    const paragraph = new XmlElement('p')
    paragraph.insert(0, [new XmlText('High water')])
    live.xml('page').insert(0, [paragraph])
    live.flush()
    expect(store.notes.get(id)?.page).toBe('<p>High water</p>')
    await store.close()
  })
})
