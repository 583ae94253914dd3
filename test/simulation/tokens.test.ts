import { type AuthRequest, collection, defineSchema, type Store } from '@tidemark/core'
import type { Credentials, Identity, Proof } from '@tidemark/server'
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

const HOUR = 3_600_000
const MINUTE = 60_000

describe('a device whose relay asks for tokens', () => {
  let scheduler: Scheduler
  let relay: RelayHost
  let network: Network
  /** What the relay has been shown. */
  let shown: string[]
  /** What the app was asked for. */
  let asked: boolean[]
  /** By user: what the app gives when it is asked for a token. */
  let give: (request: AuthRequest) => string | Promise<string>
  let identities: Map<string, Identity>
  let issued: number

  beforeEach(() => {
    scheduler = createScheduler()
    shown = []
    asked = []
    issued = 0
    identities = new Map()
    give = () => issue('ada')
    const random = seededRandom(1)
    relay = createRelayHost(scheduler, random.fork(), {
      authenticate({ token }: Credentials): Proof {
        shown.push(token)
        return identities.get(token)
      },
    })
    network = createNetwork(scheduler, random.fork(), () => {
      const { relay: running } = relay
      return running && ((connection) => running.connect(connection))
    })
  })

  function issue(user: string, more: Partial<Identity> = {}): string {
    issued += 1
    const token = `${user}-${issued}`
    identities.set(token, {
      user,
      issuedAt: scheduler.now,
      expiresAt: scheduler.now + HOUR,
      ...more,
    })
    return token
  }

  function deviceOf(user: string, locks = false): Device<Schema> {
    return createDevice(scheduler, seededRandom(2), network, {
      schema,
      user,
      locks,
      auth(request) {
        asked.push(request.renew)
        return give(request)
      },
    })
  }

  async function open(device: Device<Schema>): Promise<Tab<Schema>> {
    const opening = device.open()
    let opened = false
    void opening.then(() => {
      opened = true
    })
    await scheduler.runUntil(() => opened, MINUTE)
    return opening
  }

  const pass = (milliseconds: number): Promise<boolean> =>
    scheduler.runUntil(() => false, milliseconds)
  const connectionOf = ({ store }: Tab<Schema>) => store.status.current.connection
  const storedAtRelay = () => [...(relay.disk.spaces.get('team')?.entities.keys() ?? [])]
  const write = (store: Store<Schema>, id: string) => store.cards.insert({ id, title: id })

  test('[SEC-6] renews them before they expire, and its link stays for days', async () => {
    const tab = await open(deviceOf('ada'))
    await pass(MINUTE)
    const [wire] = network.wires
    await pass(48 * HOUR)
    expect([...network.wires]).toEqual([wire])
    expect(connectionOf(tab)).toBe('online')
    expect(shown.length).toBeGreaterThanOrEqual(48)
    expect(asked.slice(0, 3)).toEqual([false, true, true])
    expect(new Set(shown).size).toBe(shown.length)
  })

  test('goes on when a token can not be had for a while, as long as the one before lasts', async () => {
    const tab = await open(deviceOf('ada'))
    await pass(MINUTE)
    const [wire] = network.wires
    let failures = 2
    give = () => {
      if (failures-- > 0) throw new Error('the sign-in service is away')
      return issue('ada')
    }
    await pass(2 * HOUR)
    expect([...network.wires]).toEqual([wire])
    expect(connectionOf(tab)).toBe('online')
  })

  test('[SEC-6] whose app hangs when it is asked is cut at expiry, comes back with another one, and loses nothing', async () => {
    const tab = await open(deviceOf('ada'))
    await pass(MINUTE)
    give = () => new Promise(() => {})
    await pass(HOUR - 2 * MINUTE + 59_000)
    write(tab.store, 'late')
    await pass(MINUTE)
    expect(connectionOf(tab)).toBe('offline')
    give = () => issue('ada')
    await pass(MINUTE)
    expect(connectionOf(tab)).toBe('online')
    expect(storedAtRelay()).toEqual(['cards/late'])
  })

  test('asks once more when one is refused, and says so when that is refused as well', async () => {
    const wrong = 'nonsense'
    const device = deviceOf('ada')
    give = ({ renew }) => (renew ? issue('ada') : wrong)
    const tab = await open(device)
    await pass(MINUTE)
    expect(connectionOf(tab)).toBe('online')
    expect(asked).toEqual([false, true])

    give = () => wrong
    relay.relay?.revoke({ user: 'ada' })
    write(tab.store, 'kept')
    await pass(HOUR)
    expect(connectionOf(tab)).toBe('unauthorized')
    expect(asked).toEqual([false, true, true])
    expect(tab.store.status.current).toMatchObject({
      pending: 1,
      failed: 0,
      error: { code: 'unauthorized', message: expect.stringContaining('not accepted') },
    })
    expect(network.wires.size).toBe(0)
  })

  test('[SEC-6] that was suspended starts again when it is told to, or hinted at, with all of its work', async () => {
    const device = deviceOf('ada')
    const tab = await open(device)
    await pass(MINUTE)
    const wrong = () => 'nonsense'
    give = wrong
    relay.relay?.revoke({ user: 'ada' })
    await pass(MINUTE)
    write(tab.store, 'one')
    expect(connectionOf(tab)).toBe('unauthorized')

    const before = asked.length
    device.hint()
    await pass(MINUTE)
    expect([connectionOf(tab), asked.length]).toEqual(['unauthorized', before + 1])

    give = () => issue('ada')
    device.hint()
    await pass(MINUTE)
    expect(connectionOf(tab)).toBe('online')
    expect(storedAtRelay()).toEqual(['cards/one'])

    give = wrong
    await pass(1_000)
    relay.relay?.revoke({ user: 'ada' })
    await pass(MINUTE)
    write(tab.store, 'two')
    give = () => issue('ada')
    tab.store.reconnect()
    await pass(MINUTE)
    expect(connectionOf(tab)).toBe('online')
    expect(storedAtRelay()).toEqual(['cards/one', 'cards/two'])
    expect(tab.store.status.current).toMatchObject({ pending: 0, failed: 0, error: null })
  })

  test('tells all of its tabs why, and each of them can have it tried again', async () => {
    const device = deviceOf('ada', true)
    give = () => 'nonsense'
    const tabs = [await open(device), await open(device)]
    await pass(MINUTE)
    for (const tab of tabs)
      expect(tab.store.status.current).toMatchObject({
        connection: 'unauthorized',
        error: { code: 'unauthorized', message: expect.stringContaining('not accepted') },
      })
    give = () => issue('ada')
    tabs[1]?.store.reconnect()
    await pass(MINUTE)
    expect(tabs.map(connectionOf)).toEqual(['online', 'online'])
  })

  test('[SEC-5] that may only read shows what there is; what it writes is refused and kept for a person', async () => {
    const writer = await open(deviceOf('ada'))
    write(writer.store, 'one')
    await pass(MINUTE)
    give = () => issue('bob', { spaces: { team: 'read' } })
    const reader = await open(deviceOf('bob'))
    await pass(MINUTE)
    expect(reader.store.cards.get('one')).toMatchObject({ title: 'one', $status: 'synced' })
    const operation = write(reader.store, 'two')
    await expect(Promise.all([operation.when('synced'), pass(MINUTE)])).rejects.toMatchObject({
      code: 'rejected',
      reason: 'forbidden',
    })
    expect(reader.store.operations.list({ state: 'failed' })).toMatchObject([
      { lastError: { code: 'forbidden' } },
    ])
    expect(storedAtRelay()).toEqual(['cards/one'])
    expect(connectionOf(reader)).toBe('online')
  })

  test('[SEC-15] that may not open its space at all says so, and gets nothing of it', async () => {
    const writer = await open(deviceOf('ada'))
    write(writer.store, 'one')
    await pass(MINUTE)
    give = () => issue('bob', { spaces: { other: 'admin' } })
    const stranger = await open(deviceOf('bob'))
    await pass(MINUTE)
    expect(connectionOf(stranger)).toBe('unauthorized')
    expect(stranger.store.status.current.error?.message).toContain('You may not open team')
    expect(stranger.store.cards.query().current).toEqual([])
  })

  test('in the name of somebody else gets in nowhere', async () => {
    give = () => issue('bob')
    const tab = await open(deviceOf('ada'))
    write(tab.store, 'one')
    await pass(MINUTE)
    expect(connectionOf(tab)).toBe('unauthorized')
    expect(storedAtRelay()).toEqual([])
    expect(tab.store.status.current).toMatchObject({ pending: 1, failed: 0 })
  })
})
