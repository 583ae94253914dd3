import { collection, defineSchema } from '@tidemark/core'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createScenario } from './scenario.js'

const schema = defineSchema({
  version: 1,
  collections: {
    posts: collection({ title: z.string(), place: z.string().optional() }),
  },
})

const MINUTE = 60_000
const RETENTION = 10 * MINUTE

/** A relay that keeps tombstones for minutes; ada in two tabs, and bob. */
async function openPosts() {
  const scenario = createScenario(schema, { retention: RETENTION, housekeepingInterval: MINUTE })
  const [adas, bobs] = [scenario.device('ada'), scenario.device('bob')]
  const ada = await scenario.wait(adas.open())
  const second = await scenario.wait(adas.open())
  const bob = await scenario.wait(bobs.open())
  for (const id of ['a', 'b', 'c'])
    await scenario.wait(ada.store.posts.insert({ id, title: id }).when('synced'))
  await scenario.until(() => bob.store.posts.get('c') !== undefined)
  const setOnline = async (online: boolean): Promise<void> => {
    bobs.online = online
    if (online) bobs.hint()
    else for (const wire of [...scenario.network.wires]) wire.cut()
    await scenario.until(() => (bob.store.status.current.connection === 'online') === online)
  }
  const rowsOf = ({ disk }: typeof adas): string[] =>
    [...(disk.spaces.get('team')?.entities.values() ?? [])].map(({ row }) => row.id).sort()
  return { scenario, adas, bobs, ada, second, bob, setOnline, rowsOf }
}

describe('a tombstone that is old enough', () => {
  test('[DEL-5] [L23] is gone at the relay, on every device and in every tab', async () => {
    const { scenario, adas, bobs, ada, second, rowsOf } = await openPosts()
    await scenario.wait(ada.store.posts.delete('b').when('synced'))
    expect(rowsOf(adas)).toEqual(['a', 'b', 'c'])
    await scenario.pass(RETENTION + 3 * MINUTE)
    expect(rowsOf(adas)).toEqual(['a', 'c'])
    expect(rowsOf(bobs)).toEqual(['a', 'c'])
    // Nothing of it is left in memory: it can be made as if it had never been.
    for (const [index, tab] of [second, ada].entries()) {
      const op = tab.store.posts.insert({ id: `b${index}`, title: 'other' })
      await scenario.wait(op.when('synced'))
    }
    const anew = second.store.posts.insert({ id: 'b', title: 'anew' })
    await scenario.wait(anew.when('synced'))
    await scenario.until(() => ada.store.posts.get('b')?.title === 'anew')
  })

  test('[DEL-2] [DEL-5] is not missed by a device that was away for longer, and stays deleted', async () => {
    const { scenario, bobs, ada, bob, setOnline, rowsOf } = await openPosts()
    await setOnline(false)
    const late = bob.store.posts.update('b', (post) => {
      post.place = 'Dover'
    })
    const other = bob.store.posts.update('c', (post) => {
      post.place = 'Calais'
    })
    await scenario.wait(Promise.all([late.when('saved'), other.when('saved')]))
    await scenario.wait(ada.store.posts.delete('b').when('synced'))
    await scenario.pass(RETENTION + 3 * MINUTE)
    await setOnline(true)
    await scenario.wait(other.when('synced'))
    await expect(scenario.wait(late.when('synced'))).rejects.toMatchObject({ reason: 'gone' })
    expect(bob.store.posts.get('b')).toBeUndefined()
    expect(rowsOf(bobs)).toEqual(['a', 'c'])
    await scenario.until(() => ada.store.posts.get('c')?.place === 'Calais')
    expect(ada.store.posts.get('b')).toBeUndefined()
    // What was typed is kept for a person.
    const [failed] = bob.store.operations.list({ state: 'failed' })
    expect(failed).toMatchObject({ id: late.id })
  })

  test('[DEL-5] leaves alone what was restored in time', async () => {
    const { scenario, ada, bob } = await openPosts()
    await scenario.wait(ada.store.posts.delete('b').when('synced'))
    await scenario.pass(RETENTION / 2)
    await scenario.wait(bob.store.posts.restore('b').when('synced'))
    await scenario.pass(RETENTION + 3 * MINUTE)
    for (const { store } of [ada, bob])
      expect(store.posts.get('b')).toMatchObject({ title: 'b', $status: 'synced' })
  })
})
