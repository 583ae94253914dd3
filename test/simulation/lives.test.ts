import { collection, counter, defineSchema, type Store, set, text } from '@tidemark/core'
import { decodeContent, mergeUpdates, viewOf } from '@tidemark/core/entity'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { seededRandom } from './random.js'
import { createScenario } from './scenario.js'

const schema = defineSchema({
  version: 1,
  collections: {
    cards: collection({
      title: z.string(),
      note: z.string().optional(),
      tags: set(z.string()),
      votes: counter(),
    }),
    notes: collection({ title: z.string(), body: text() }),
  },
})

async function manyDevices(count: number) {
  const scenario = createScenario(schema, { renewAboveClients: 1 })
  const devices = Array.from({ length: count }, (_, index) => scenario.device(`user${index}`))
  const stores: Store<typeof schema.collections>[] = []
  for (const device of devices) stores.push((await scenario.wait(device.open())).store)
  const [first] = stores
  if (first === undefined) throw new Error('no device')
  const entity = (key: string) => scenario.relay.disk.spaces.get('team')?.entities.get(key)
  const settle = (): Promise<void> =>
    scenario.until(() => {
      const rows = stores.map((store) =>
        JSON.stringify(
          [...store.cards.query().current, ...store.notes.query().current].map(
            ({ $status: _status, $error: _error, ...row }) => row,
          ),
        ),
      )
      return (
        new Set(rows).size === 1 &&
        stores.every(({ status: { current } }) => {
          const { connection, pending, syncing } = current
          return connection === 'online' && pending + syncing === 0
        })
      )
    })
  return { scenario, devices, stores, first, entity, settle }
}

describe('[L16] a document that has gathered history is renewed', () => {
  test.for([1, 2, 3, 4, 5])(
    '[L5] [CONV-1] [CONV-6] and nothing of it gets lost, whoever was writing meanwhile: seed %i',
    async (seed) => {
      const { scenario, devices, stores, first, entity, settle } = await manyDevices(3)
      const random = seededRandom(seed)
      first.cards.insert({ id: 'c', title: 'One' })
      await settle()
      let votes = 0
      for (let step = 0; step < 400; step++) {
        const store = random.pick(stores)
        const device = devices[stores.indexOf(store)]
        if (device !== undefined && random.chance(0.05)) {
          device.online = !device.online
          if (device.online) device.hint()
          else for (const wire of [...scenario.network.wires]) if (random.chance(0.5)) wire.cut()
        }
        const by = random.pick([-1, 1, 2])
        store.cards.update('c', (card) => {
          if (random.chance(0.4)) card.title = `${step}`
          if (random.chance(0.3)) card.note = `${step}`
          if (random.chance(0.2)) card.tags.add(`t${random.below(4)}`)
          if (random.chance(0.1)) card.tags.delete(`t${random.below(4)}`)
          card.votes.increment(by)
        })
        votes += by
        await scenario.pass(random.below(120))
      }
      for (const device of devices) {
        device.online = true
        device.hint()
      }
      await settle()
      const stored = entity('cards/c')
      expect(stored?.head?.generation).toMatch(/^0\.[0-9a-z]+$/)
      expect(first.cards.get('c')?.votes).toBe(votes)
      expect(first.operations.current).toEqual([])
      const log = [stored?.snapshot, ...(stored?.updates ?? [])].flatMap((row) => row?.bytes ?? [])
      expect(viewOf(decodeContent(mergeUpdates(log))).values['title']).toBe(
        first.cards.get('c')?.title,
      )
    },
  )

  test('[L14] shows what waits for the new document all the time', async () => {
    const { scenario, devices, stores, first, entity, settle } = await manyDevices(2)
    const [, second] = stores
    const [offline] = devices
    first.cards.insert({ id: 'c', title: 'One' })
    await settle()
    if (offline === undefined || second === undefined) throw new Error('two devices')
    offline.online = false
    for (const wire of [...scenario.network.wires]) wire.cut()
    first.cards.update('c', (card) => {
      card.note = 'written offline'
      card.votes.increment(5)
    })
    for (let step = 0; step < 200; step++)
      second.cards.update('c', (card) => {
        card.title = `x${'y'.repeat(30)}${step}`
      })
    await scenario.until(() => (entity('cards/c')?.head?.generation ?? '0') !== '0')
    const shown = new Set<string>()
    first.cards.watch('c').subscribe((row) => shown.add(`${row?.note} ${row?.votes}`))
    offline.online = true
    offline.hint()
    await settle()
    expect([...shown]).toEqual(['written offline 5'])
    expect(second.cards.get('c')).toMatchObject({ note: 'written offline', votes: 5 })
  })
})

describe('[L23] [DEL-4] an entity that is made anew over its tombstone', () => {
  test('knows nothing of its former life, and keeps its version counting', async () => {
    const { first, stores, settle } = await manyDevices(2)
    first.notes.insert({ id: 'n', title: 'One', body: 'former' })
    await settle()
    first.notes.delete('n')
    await settle()
    const version = stores[1]?.notes.get('n')
    expect(version).toBeUndefined()
    first.notes.insert({ id: 'n', title: 'Two', body: 'new' })
    await settle()
    for (const store of stores) {
      expect(store.notes.get('n')).toMatchObject({ title: 'Two', body: 'new', $conflicts: {} })
      expect(store.notes.get('n')?.$version.sequence).toBe(3)
    }
  })

  test('is one when two devices make it at once', async () => {
    const { scenario, devices, first, stores, settle } = await manyDevices(2)
    const [, second] = stores
    first.cards.insert({ id: 'c', title: 'One', tags: ['old'] })
    first.cards.delete('c')
    await settle()
    for (const device of devices) device.online = false
    for (const wire of [...scenario.network.wires]) wire.cut()
    first.cards.insert({ id: 'c', title: 'Mine', tags: ['a'] })
    second?.cards.insert({ id: 'c', title: 'Theirs', tags: ['b'] })
    for (const device of devices) {
      device.online = true
      device.hint()
    }
    await settle()
    expect(first.cards.get('c')?.tags).toEqual(['a', 'b'])
    expect(first.cards.get('c')?.$conflicts['title']).toHaveLength(2)
  })

  test('[DEL-2] is left alone by changes of its former life, which are kept for a person', async () => {
    const { scenario, devices, first, stores, settle } = await manyDevices(2)
    const [, second] = stores
    const [, offline] = devices
    first.notes.insert({ id: 'n', title: 'One', body: 'former' })
    await settle()
    if (second === undefined || offline === undefined) throw new Error('two devices')
    offline.online = false
    for (const wire of [...scenario.network.wires]) wire.cut()
    const late = second.notes.update('n', (note) => {
      note.title = 'Late'
      note.body.insert(0, 'late ')
    })
    first.notes.delete('n')
    await scenario.wait(first.notes.insert({ id: 'n', title: 'Two', body: 'new' }).when('synced'))
    offline.online = true
    offline.hint()
    await expect(scenario.wait(late.when('synced'))).rejects.toMatchObject({
      code: 'rejected',
      reason: 'gone',
    })
    for (const store of stores)
      expect(store.notes.get('n')).toMatchObject({ title: 'Two', body: 'new' })
    expect(second.operations.list({ state: 'failed' })).toMatchObject([
      { values: [{ title: 'Late' }] },
    ])
  })
})
