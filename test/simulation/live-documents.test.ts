import { collection, defineSchema, text } from '@tidemark/core'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createScenario } from './scenario.js'

const schema = defineSchema({
  version: 1,
  collections: { notes: collection({ title: z.string(), body: text() }) },
})
/** What the relay takes at most: a title this long is refused. */
const TOO_LONG = 'x'.repeat(3000)

async function openNote() {
  const scenario = createScenario(schema, { maxEntityBytes: 2000 })
  const device = scenario.device('ada')
  const { store } = await scenario.wait(device.open())
  const { when } = store.notes.insert({ id: 'n', title: 'Tides', body: 'Ebb' })
  await scenario.wait(when('synced'))
  return { scenario, device, store, notes: store.notes }
}

describe('an open document', () => {
  test('[L14] [L15] [RB-1] loses what was rejected, keeps what was typed around it, and says that it is another one', async () => {
    const { scenario, notes } = await openNote()
    const live = notes.open('n')
    const first = live.doc
    let told: unknown
    live.onReset((doc) => {
      told = doc
    })
    const refused = notes.update('n', (note) => {
      note.title = TOO_LONG
      note.body.insert(3, ' NO ')
    })
    live.text('body').insert(0, 'before ')
    live.flush()
    // Not an operation yet when the answer comes.
    live.text('body').insert(live.text('body').length, 'after')
    await expect(scenario.wait(refused.when('synced'))).rejects.toMatchObject({ code: 'rejected' })
    expect(told).toBe(live.doc)
    expect(live.doc).not.toBe(first)
    expect(live.text('body').toString()).toBe('before Ebbafter')
    await scenario.until(() => notes.get('n')?.$status === 'error')
    expect(notes.get('n')).toMatchObject({ title: 'Tides', body: 'before Ebbafter' })
  })

  test('[L15] what was typed into the middle of rejected text is parked with it, not thrown away', async () => {
    const { scenario, notes, store } = await openNote()
    const refused = notes.update('n', (note) => {
      note.title = TOO_LONG
      note.body.insert(3, 'NONO')
    })
    const inside = notes.update('n', (note) => note.body.insert(5, 'inside'))
    const apart = notes.update('n', (note) => note.body.insert(0, 'apart '))
    await expect(scenario.wait(refused.when('synced'))).rejects.toMatchObject({ code: 'rejected' })
    await expect(scenario.wait(inside.when('synced'))).rejects.toMatchObject({
      code: 'predecessor-rejected',
    })
    await scenario.wait(apart.when('synced'))
    expect(notes.get('n')?.body).toBe('apart Ebb')
    const failed = store.operations.list({ state: 'failed' })
    expect(failed.map(({ id }) => id)).toEqual([refused.id, inside.id])
    // A person decides to have it after all: it stands where the rejected text would.
    await scenario.wait(store.operations.retry(inside.id))
    await scenario.until(() => store.status.current.pending + store.status.current.syncing === 0)
    expect(notes.get('n')?.body).toBe('apart Ebbinside')
  })

  test('[CONV-1] shows what is typed elsewhere, letter for letter, in other tabs and on other devices', async () => {
    const { scenario, device, notes } = await openNote()
    const tab = await scenario.wait(device.open())
    const bob = await scenario.wait(scenario.device('bob').open())
    await scenario.until(() => bob.store.notes.get('n') !== undefined)
    const lives = [notes, tab.store.notes, bob.store.notes].map((own) => own.open('n'))
    for (const [index, live] of lives.entries()) live.text('body').insert(index, String(index))
    const texts = (): string[] => lives.map((live) => live.text('body').toString())
    await scenario.until(() => new Set(texts()).size === 1 && texts()[0]?.length === 6)
    const [merged] = texts()
    for (const part of ['0', '1', '2']) expect(merged).toContain(part)
    const rows = [notes, tab.store.notes, bob.store.notes]
    await scenario.until(() => rows.every((own) => own.get('n')?.body === merged))
  })

  test('[L11] what is typed in one tab stays when another one takes the outbox apart', async () => {
    const { scenario, device, notes } = await openNote()
    const tab = await scenario.wait(device.open())
    await scenario.until(() => tab.store.notes.get('n') !== undefined)
    const live = tab.store.notes.open('n')
    const refused = notes.update('n', (note) => {
      note.title = TOO_LONG
      note.body.insert(0, 'NO')
    })
    await scenario.until(() => live.text('body').toString() === 'NOEbb')
    live.text('body').insert(5, ' flow')
    await expect(scenario.wait(refused.when('synced'))).rejects.toMatchObject({ code: 'rejected' })
    await scenario.until(() => live.text('body').toString() === 'Ebb flow')
    await scenario.until(() => notes.get('n')?.body === 'Ebb flow')
  })

  test('[L23] is another one when the entity is made anew; what was typed into the former one is kept', async () => {
    const { scenario, notes } = await openNote()
    const bob = await scenario.wait(scenario.device('bob').open())
    await scenario.until(() => bob.store.notes.get('n') !== undefined)
    const live = bob.store.notes.open('n')
    const resets: unknown[] = []
    live.onReset((doc) => resets.push(doc))
    notes.delete('n')
    notes.insert({ id: 'n', title: 'Anew', body: 'new' })
    // Not an operation yet when the news comes.
    live.text('body').insert(0, 'typed ')
    await scenario.until(() => bob.store.notes.get('n')?.title === 'Anew')
    expect(live.text('body').toString()).toBe('new')
    expect(resets.at(-1)).toBe(live.doc)
    await scenario.until(() => bob.store.operations.list({ state: 'failed' }).length === 1)
    live.text('body').insert(3, ' life')
    live.flush()
    await scenario.until(() => notes.get('n')?.body === 'new life')
    await scenario.until(() => bob.store.status.current.syncing === 0)
    expect(bob.store.status.current).toMatchObject({ pending: 0, failed: 1 })
  })

  test('[L16] goes on when its document is renewed, with what was just typed', async () => {
    const scenario = createScenario(schema, { renewAboveClients: 1 })
    const ada = (await scenario.wait(scenario.device('ada').open())).store.notes
    const bob = (await scenario.wait(scenario.device('bob').open())).store
    await scenario.wait(ada.insert({ id: 'n', title: '0' }).when('synced'))
    await scenario.until(() => bob.notes.get('n') !== undefined)
    bob.notes.update('n', (note) => {
      note.title = 'from bob'
    })
    await scenario.until(() => ada.get('n')?.title === 'from bob')
    const live = bob.notes.open('n')
    live.onReset(() => live.text('body').insert(live.text('body').length, '!'))
    const generation = () =>
      scenario.relay.disk.spaces.get('team')?.entities.get('notes/n')?.head?.generation ?? '0'
    for (let step = 1; step < 200 && generation() === '0'; step++) {
      ada.update('n', (note) => {
        note.title = String(step)
      })
      await scenario.pass(100)
    }
    expect(generation()).not.toBe('0')
    // The relay has renewed it; the one who has it open hears of that later.
    await scenario.until(() => live.text('body').length > 0)
    await scenario.until(() => ada.get('n')?.body === live.text('body').toString())
    expect(ada.get('n')?.body).toMatch(/^!+$/)
    await scenario.until(() => bob.status.current.pending + bob.status.current.syncing === 0)
    expect(bob.operations.current).toEqual([])
  })
})
