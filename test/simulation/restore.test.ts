import { collection, counter, defineSchema, set, text } from '@tidemark/core'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createScenario } from './scenario.js'
import { simulate } from './simulation.js'

const schema = defineSchema({
  version: 1,
  collections: {
    posts: collection({
      title: z.string(),
      place: z.string().optional(),
      body: text(),
      likes: set(z.string()),
      views: counter(),
    }),
  },
})

const SEEDS = 100
const LONG_MS = 240_000

/** Two devices that have the same post, and a backup of the relay from when that was all. */
async function openPost() {
  const scenario = createScenario(schema)
  const [adas, bobs] = [scenario.device('ada'), scenario.device('bob')]
  const [ada, bob] = [await scenario.wait(adas.open()), await scenario.wait(bobs.open())]
  const post = ada.store.posts.insert({ id: 'p', title: 'Tides', body: 'Ebb' })
  await scenario.wait(post.when('synced'))
  await scenario.until(() => bob.store.posts.get('p') !== undefined)
  const backup = scenario.relay.backup()
  const cut = (): void => {
    for (const wire of [...scenario.network.wires]) wire.cut()
  }
  return {
    scenario,
    adas,
    bobs,
    ada: ada.store.posts,
    bob: bob.store.posts,
    stores: [ada.store, bob.store],
    /** The relay's disk is lost, and the backup put in its place. */
    async restore(): Promise<void> {
      scenario.relay.restore(backup)
      cut()
      await scenario.until(() =>
        [ada.store, bob.store].every(({ status }) => status.current.connection !== 'online'),
      )
      scenario.relay.start()
      for (const device of [adas, bobs]) device.hint()
    },
    cut,
    rested: (): Promise<void> =>
      scenario.until(() =>
        [ada.store, bob.store].every(({ status }) => {
          const { connection, pending, syncing } = status.current
          return connection === 'online' && pending === 0 && syncing === 0
        }),
      ),
  }
}

describe('a relay whose disk was lost, and that got an older backup back', () => {
  test('[BAK-2] [L22] has again what any device still had, and nobody sees anything go', async () => {
    const { scenario, ada, bob, restore, rested } = await openPost()
    const later = ada.update('p', (post) => {
      post.title = 'Spring tides'
      post.body.insert(3, ' and flow')
      post.likes.add('ada')
      post.views.increment(2)
    })
    const second = ada.insert({ id: 'q', title: 'Neap tides' })
    await scenario.wait(Promise.all([later.when('synced'), second.when('synced')]))
    await scenario.until(() => bob.get('q') !== undefined)
    const wanted = { title: 'Spring tides', body: 'Ebb and flow', likes: ['ada'], views: 2 }
    const shown = new Set<unknown>()
    ada.watch('p').subscribe((post) => shown.add(post?.title))
    await restore()
    await scenario.until(() => ada.get('p')?.$status === 'pending')
    expect(ada.get('p')).toMatchObject(wanted)
    expect(ada.get('p')?.$version.confirmedSequence).toBeNull()
    await rested()
    for (const posts of [ada, bob]) {
      expect(posts.get('p')).toMatchObject({ ...wanted, $status: 'synced', $conflicts: {} })
      expect(posts.get('q')).toMatchObject({ title: 'Neap tides', $status: 'synced' })
    }
    // What was handed back last still travels to the others.
    const version = (posts: typeof ada): string => JSON.stringify(posts.get('p')?.$version)
    await scenario.until(() => version(ada) === version(bob))
    expect(shown).not.toContain('Tides')
  })

  test('[BAK-2] takes what was made meanwhile, too, and what was on its way, once', async () => {
    const { scenario, ada, bob, adas, cut, restore, rested } = await openPost()
    const lost = ada.update('p', (post) => post.body.insert(3, ' tide'))
    await scenario.wait(lost.when('synced'))
    await scenario.until(() => bob.get('p')?.body === 'Ebb tide')
    adas.online = false
    cut()
    const offline = ada.update('p', (post) => {
      post.body.insert(8, 's')
      post.title = 'Tides again'
    })
    await scenario.wait(offline.when('saved'))
    await restore()
    await scenario.until(() => bob.get('p')?.$status === 'synced')
    await scenario.wait(bob.update('p', (post) => post.likes.add('bob')).when('synced'))
    adas.online = true
    adas.hint()
    await rested()
    await scenario.until(() => bob.get('p')?.title === 'Tides again')
    expect(bob.get('p')).toMatchObject({ body: 'Ebb tides', likes: ['bob'], $conflicts: {} })
    expect(ada.get('p')).toMatchObject({ body: 'Ebb tides', likes: ['bob'], $conflicts: {} })
  })

  test('[BAK-2] [DEL-1] brings back that something was deleted', async () => {
    const { scenario, ada, bob, restore, rested } = await openPost()
    await scenario.wait(ada.delete('p').when('synced'))
    await scenario.until(() => bob.get('p') === undefined)
    await restore()
    await rested()
    expect(bob.get('p')).toBeUndefined()
    const entity = scenario.relay.disk.spaces.get('team')?.entities.get('posts/p')
    expect(entity?.head?.tombstoneAt).not.toBeNull()
  })

  test('[BAK-2] [L19] is written to under other client ids than before, in every tab', async () => {
    const { scenario, adas, ada, restore, rested } = await openPost()
    const second = await scenario.wait(adas.open())
    const tabs = [ada, second.store.posts]
    const type = async (letter: string): Promise<void> => {
      for (const posts of tabs)
        await scenario.wait(posts.update('p', (post) => post.body.insert(0, letter)).when('synced'))
    }
    const clients = (): Set<number> =>
      new Set(scenario.relay.disk.spaces.get('team')?.entities.get('posts/p')?.head?.clients.keys())
    await type('x')
    await restore()
    await rested()
    const before = clients()
    await type('y')
    expect(clients().size).toBe(before.size + tabs.length)
    await scenario.until(() => tabs.every((posts) => posts.get('p')?.body === 'yyxxEbb'))
    expect(second.store.status.current.failed).toBe(0)
  })

  test('[O1] [O2] [BAK-2] [L22] converges with all of its devices, loses nothing and repeats nothing, in every run', {
    timeout: LONG_MS,
  }, async () => {
    let restores = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { counts } = await simulate({ seed, steps: 120, devices: 3, restores: true })
      restores += counts['restores of a backup'] ?? 0
    }
    expect(restores).toBeGreaterThan(SEEDS)
  })
})

describe('an entity that is damaged at the relay', () => {
  test('[DUR-9] is healed by a device that has all of it, without anybody doing anything', async () => {
    const { scenario, ada, bob, cut, bobs, rested } = await openPost()
    const entity = scenario.relay.disk.spaces.get('team')?.entities.get('posts/p')
    const [row] = [entity?.snapshot, ...(entity?.updates ?? [])].filter((found) => found)
    if (row?.bytes[9] === undefined) throw new Error('there is nothing to damage')
    row.bytes[9] ^= 1
    cut()
    bobs.hint()
    await rested()
    const cy = await scenario.wait(scenario.device('cy').open())
    await scenario.until(() => cy.store.posts.get('p')?.title === 'Tides')
    await scenario.wait(bob.update('p', (post) => post.likes.add('bob')).when('synced'))
    await scenario.until(() => ada.get('p')?.likes.includes('bob') === true)
    expect(cy.store.posts.get('p')?.$status).toBe('synced')
  })
})
