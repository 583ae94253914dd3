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
    notes: collection({
      title: z.string(),
      url: z.string().optional(),
      tags: set(z.string()),
      votes: counter(),
      body: text(),
      steps: list(z.string()),
    }),
  },
})

async function openNote(disk = createMemoryDisk()) {
  const store = createStore({ schema, user: 'ada', storage: createMemoryStorage({ disk }) })
  onTestFinished(() => store.close())
  await store.ready
  const fields = () => {
    const { title, url, tags, votes, body, steps } = store.notes.get('n') ?? {}
    return { title, url, tags, votes, body, steps }
  }
  return { store, notes: store.notes, fields, shelf: store.notes.snapshots('n'), disk }
}

async function openWritten() {
  const opened = await openNote()
  opened.notes.insert({
    id: 'n',
    title: 'One',
    tags: ['a'],
    body: 'Ebb and flow',
    steps: ['x', 'y'],
  })
  opened.notes.update('n', (note) => note.votes.increment(2))
  return opened
}

describe('[F4] a snapshot', () => {
  test('brings every field back, by an operation that can be undone', async () => {
    const { store, notes, fields, shelf } = await openWritten()
    const before = fields()
    const { id } = await shelf.take('before the storm')
    notes.update('n', (note) => {
      Object.assign(note, { title: 'Two', url: 'https://example.org' })
      note.tags.add('b')
      note.tags.delete('a')
      note.votes.increment(5)
      note.body.insert(3, ' NO')
      note.steps.delete(0)
      note.steps.push('z')
    })
    const changed = fields()
    const op = await shelf.restore(id)
    expect(op.entity).toEqual({ collection: 'notes', id: 'n' })
    expect(fields()).toEqual(before)
    expect(notes.get('n')?.$status).toBe('pending')
    store.undo()
    expect(fields()).toEqual(changed)
  })

  test('writes only what differs', async () => {
    const { store, notes, shelf } = await openWritten()
    const { id } = await shelf.take()
    await shelf.restore(id)
    const count = store.operations.current.length
    notes.update('n', (note) => Object.assign(note, { url: 'x' }))
    await shelf.restore(id)
    expect(store.operations.current.slice(count).map(({ values }) => values)).toEqual([
      [{ url: 'x' }],
      [{ url: undefined }],
    ])
  })

  test('[L15] leaves text alone that is the same at both ends', async () => {
    const { notes, shelf } = await openWritten()
    const { id } = await shelf.take()
    notes.update('n', (note) => note.body.insert(4, 'WRONG '))
    const live = notes.open('n')
    const restoring = shelf.restore(id)
    live.text('body').insert(live.text('body').length, '!')
    await restoring
    expect(notes.get('n')?.body).toBe('Ebb and flow')
    live.close()
  })

  test('brings a deleted entity back', async () => {
    const { notes, fields, shelf } = await openWritten()
    const before = fields()
    const { id } = await shelf.take()
    notes.delete('n')
    expect(fields().title).toBeUndefined()
    await shelf.restore(id)
    expect(fields()).toEqual(before)
  })

  test('is shown with its label, its time and its values, and is there after a restart', async () => {
    const { store, notes, shelf, disk } = await openWritten()
    await shelf.take('first')
    notes.update('n', (note) => Object.assign(note, { title: 'Two' }))
    await shelf.take('second')
    await store.close()
    const again = await openNote(disk)
    const listed = await again.shelf.list()
    expect(listed.map(({ label, row }) => [label, row?.title])).toEqual([
      ['second', 'Two'],
      ['first', 'One'],
    ])
    expect(listed[0]?.takenAt).toBeGreaterThanOrEqual(listed[1]?.takenAt ?? 0)
    const [latest] = listed
    await again.shelf.remove(latest?.id ?? '')
    expect((await again.shelf.list()).map(({ label }) => label)).toEqual(['first'])
  })

  test('[E4] makes room when it is the one that was used longest ago', async () => {
    let now = 1_790_000_000_000
    const { createStoreOn } = await import('../index.js')
    const { createNodePlatform } = await import('../node/index.js')
    const platform = createNodePlatform()
    const clock = { ...platform.clock, now: () => now }
    const store = createStoreOn(
      { schema, user: 'ada' },
      { ...platform, clock },
      createMemoryStorage(),
    )
    onTestFinished(() => store.close())
    await store.ready
    store.notes.insert({ id: 'n', title: 'One' })
    const shelf = store.notes.snapshots('n')
    const taken: string[] = []
    for (let index = 0; index < 30; index++) {
      now += 1000
      taken.push((await shelf.take(String(index))).id)
    }
    now += 1000
    await shelf.restore(taken[0] ?? '')
    now += 1000
    await shelf.take('one more')
    const labels = (await shelf.list()).map(({ label }) => label)
    expect(labels).toHaveLength(30)
    expect(labels).toContain('0')
    expect(labels).not.toContain('1')
  })

  test('that is not there, or of what is not there, is refused', async () => {
    const { shelf } = await openNote()
    await expect(shelf.take()).rejects.toMatchObject({ code: 'entity-missing' })
    await expect(shelf.restore('nothing')).rejects.toMatchObject({ code: 'snapshot-missing' })
  })
})
