import { collection, defineSchema, type Store } from '@tidemark/core'
import { beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createDevice, type Device, type Tab } from './device.js'
import { createNetwork, type Network } from './network.js'
import { seededRandom } from './random.js'
import { createRelayHost, type RelayHost } from './relay-host.js'
import { createScheduler, type Scheduler } from './scheduler.js'

const schema = defineSchema({
  version: 1,
  collections: { cards: collection({ title: z.string() }) },
})
type Schema = typeof schema.collections

/** No person waits longer than this for what another tab of the same browser has. */
const SOON_MS = 30_000

describe('tabs of one device that miss what the others tell, without an event of the browser that helps', () => {
  let scheduler: Scheduler
  let relay: RelayHost
  let network: Network

  beforeEach(() => {
    scheduler = createScheduler()
    const random = seededRandom(1)
    relay = createRelayHost(scheduler, random.fork())
    network = createNetwork(scheduler, random.fork(), () => {
      const { relay: running } = relay
      return running && ((connection) => running.connect(connection))
    })
  })

  function deviceOf(user: string): Device<Schema> {
    const random = seededRandom(user.length)
    const device = createDevice(scheduler, random, network, { schema, user, locks: true })
    device.messageLoss = 0
    return device
  }

  async function open(device: Device<Schema>): Promise<Tab<Schema>> {
    const opening = device.open()
    let opened = false
    void opening.then(() => {
      opened = true
    })
    await scheduler.runUntil(() => opened, SOON_MS)
    return opening
  }

  const pass = (milliseconds: number): Promise<boolean> =>
    scheduler.runUntil(() => false, milliseconds)
  const titles = ({ cards }: Store<Schema>): string[] =>
    cards.query().current.map(({ title }) => title)
  const isOnline = ({ store }: Tab<Schema>): boolean => store.status.current.connection === 'online'

  test('[TAB-2] a change that the tab with the link told of in vain shows in the others soon', async () => {
    const ada = deviceOf('ada')
    const leading = await open(ada)
    const following = await open(ada)
    const bob = await open(deviceOf('robert'))
    await pass(SOON_MS)

    ada.messageLoss = 1
    bob.store.cards.insert({ id: 'one', title: 'From Bob' })
    await pass(1000)
    expect(titles(leading.store)).toEqual(['From Bob'])
    expect(titles(following.store)).toEqual([])

    ada.messageLoss = 0
    await pass(SOON_MS)
    expect(titles(following.store)).toEqual(['From Bob'])
  })

  test('[TAB-3] what became of the link shows in the others soon, when they were told of it in vain', async () => {
    const ada = deviceOf('ada')
    const tabs = [await open(ada), await open(ada)]
    await pass(SOON_MS)
    relay.crash()
    for (const wire of [...network.wires]) wire.cut()
    await pass(1000)
    expect(tabs.map(isOnline)).toEqual([false, false])

    ada.messageLoss = 1
    relay.start()
    await pass(2 * SOON_MS)
    expect(tabs.map(isOnline)).toEqual([true, false])

    ada.messageLoss = 0
    await pass(SOON_MS)
    expect(tabs.map(isOnline)).toEqual([true, true])
  })

  test('[TAB-4] what a tab saved and told in vain before it crashed is sent soon by the tab with the link', async () => {
    const ada = deviceOf('ada')
    const leading = await open(ada)
    const following = await open(ada)
    await pass(SOON_MS)

    ada.messageLoss = 1
    const { when } = following.store.cards.insert({ id: 'one', title: 'Saved' })
    when('synced').catch(() => undefined)
    let saved = false
    void when('saved').then(() => {
      saved = true
    })
    await scheduler.runUntil(() => saved, SOON_MS)
    following.crash()
    await pass(SOON_MS)
    expect(titles(leading.store)).toEqual(['Saved'])
    expect(leading.store.status.current).toMatchObject({ connection: 'online', pending: 0 })
    expect(relay.disk.spaces.get('team')?.operations.size).toBe(1)
  })
})
