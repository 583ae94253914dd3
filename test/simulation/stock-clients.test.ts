import {
  compactUpdate,
  containsUpdate,
  decodeContent,
  mergeUpdates,
  viewOf,
} from '@tidemark/core/entity'
import { sameBytes } from '@tidemark/core/protocol'
import { DEFAULT_LIMITS } from '@tidemark/server'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { type Schema, schema } from './cards.js'
import { createDevice, type Tab } from './device.js'
import { createNetwork, type Network } from './network.js'
import { type SeededRandom, seededRandom } from './random.js'
import { createRelayHost, type RelayHost } from './relay-host.js'
import { createScheduler, type Scheduler } from './scheduler.js'
import { createStockClient, type StockClient } from './stock-client.js'

const ID = 'shared'
const STOCK_CLIENTS = 3
const DEVICES = 2
const STEPS = 120
const SEEDS = Array.from({ length: 24 }, (_, seed) => seed + 1)
const PATIENCE_MS = 600_000

/** What was written and what was taken away, letter by letter: each letter is written once. */
interface Letters {
  readonly written: Set<string>
  readonly erased: Set<string>
}

async function play(seed: number) {
  const random = seededRandom(seed)
  const scheduler = createScheduler()
  const relay = createRelayHost(scheduler, random.fork(), {
    // Small, so that documents are compacted, and would be renewed if they could be.
    limits: { renewAboveClients: 4 },
  })
  const network = createNetwork(scheduler, random.fork(), () => {
    const running = relay.relay
    return running && ((connection) => running.connect(connection))
  })
  network.faults = { latency: 60, cut: 0.005, blackhole: 0, duplicate: 0 }
  const violations: string[] = []
  const tabs: Tab<Schema>[] = []
  const opening: Promise<void>[] = []
  for (let index = 0; index < DEVICES; index++) {
    const device = createDevice(scheduler, random.fork(), network, {
      schema,
      user: `user-${index}`,
      locks: true,
    })
    opening.push(device.open().then((tab) => void tabs.push(tab)))
  }
  await until(scheduler, () => tabs.length === DEVICES)
  const stock = Array.from({ length: STOCK_CLIENTS }, (_, index) =>
    createStockClient({
      scheduler,
      random: random.fork(),
      relay,
      request: { path: `/yjs/team/cards/${ID}`, token: '', user: `stock-${index % 2}` },
      onUpdate(update) {
        const bytes = stored(relay)
        if (!containsUpdate(bytes ?? EMPTY, update)) violations.push('seen before it was on disk')
      },
    }),
  )
  for (const { network: own } of stock)
    own.faults = { latency: 60, cut: 0.005, blackhole: 0, duplicate: 0 }
  const networks = [network, ...stock.map((client) => client.network)]
  const letters: Letters = { written: new Set(), erased: new Set() }
  // Sometimes a stock client makes the entity.
  if (random.chance(0.7)) tabs[0]?.store.cards.insert({ id: ID, title: 'Tides' })

  for (let step = 0; step < STEPS; step++) {
    act(random, scheduler, relay, stock, tabs, networks, letters)
    await scheduler.runUntil(() => false, random.unit() * 120)
  }

  for (const client of stock) if (!client.online) toggle(client)
  for (const { network: own } of stock) own.faults.cut = 0
  network.faults.cut = 0
  if (relay.relay === undefined) relay.start()
  const isQuiet = () =>
    stock.every(({ isSynced, doc }) => isSynced && holdsAll(doc, relay)) &&
    tabs.every(
      ({ store }) =>
        store.status.current.pending + store.status.current.syncing === 0 &&
        (store.cards.get(ID)?.body ?? '') === storedText(relay),
    )
  const converged = await scheduler.runUntil(isQuiet, PATIENCE_MS)
  return { relay, stock, tabs, letters, violations, converged }
}

const EMPTY = Uint8Array.of(0, 0)

function act(
  random: SeededRandom,
  scheduler: Scheduler,
  relay: RelayHost,
  stock: readonly StockClient[],
  tabs: readonly Tab<Schema>[],
  networks: readonly Network[],
  letters: Letters,
): void {
  const client = random.pick(stock)
  const { store } = random.pick(tabs)
  const kind = random.below(100)
  if (kind < 40) typeInto(random, client.doc, letters)
  else if (kind < 50) eraseFrom(random, client.doc, letters)
  else if (kind < 54)
    client.doc.getArray('steps').insert(0, [`step ${client.doc.clientID} ${random.below(2 ** 32)}`])
  else if (kind < 58) toggle(client)
  else if (kind < 61) client.reload()
  else if (kind < 64) for (const wire of [...client.network.wires]) wire.cut()
  else if (kind < 67) {
    if (relay.relay === undefined) return
    relay.crash()
    for (const { wires } of networks) for (const wire of [...wires]) wire.cut()
    scheduler.after(random.unit() * 500, () => {
      // It may have been started already, at the end: two would not know of each other.
      if (relay.relay === undefined) relay.start()
    })
  } else if (store.cards.get(ID) !== undefined) {
    store.cards.update(ID, (card) => {
      if (kind < 74) card.title = `title ${random.below(1000)}`
      else if (kind < 78) card.votes.increment()
      else if (kind < 92) card.body.insert(random.below(card.body.length + 1), newLetter(letters))
      else if (card.body.length > 0) {
        const at = random.below(card.body.length)
        letters.erased.add(card.body.toString()[at] ?? '')
        card.body.delete(at, 1)
      }
    })
  }
}

/** A browser that has its network back gives up the connections from before. */
function toggle(client: StockClient): void {
  client.online = !client.online
  if (client.online) for (const wire of [...client.network.wires]) wire.cut()
}

function newLetter({ written }: Letters): string {
  const letter = String.fromCharCode(0x4e00 + written.size)
  written.add(letter)
  return letter
}

function typeInto(random: SeededRandom, doc: Y.Doc, letters: Letters): void {
  const text = doc.getText('body')
  let at = random.below(text.length + 1)
  for (let left = 1 + random.below(3); left > 0; left--, at++) text.insert(at, newLetter(letters))
}

function eraseFrom(random: SeededRandom, doc: Y.Doc, letters: Letters): void {
  const text = doc.getText('body')
  if (text.length === 0) return
  const at = random.below(text.length)
  letters.erased.add(textOf(doc)[at] ?? '')
  text.delete(at, 1)
}

function textOf(doc: Y.Doc): string {
  return doc.getText('body').toString()
}

/** What is on the relay's disk of the entity. */
function stored({ disk }: RelayHost): Uint8Array | undefined {
  const entity = disk.spaces.get('team')?.entities.get(`cards/${ID}`)
  const bytes = [entity?.snapshot, ...(entity?.updates ?? [])].flatMap((row) => row?.bytes ?? [])
  return bytes.length === 0 ? undefined : mergeUpdates(bytes)
}

/** In bytes, as Yjs writes them. */
function holdsAll(doc: Y.Doc, relay: RelayHost): boolean {
  const bytes = compactUpdate(stored(relay) ?? EMPTY)
  return sameBytes(compactUpdate(Y.encodeStateAsUpdate(doc)), bytes)
}

function storedText(relay: RelayHost): string {
  const bytes = stored(relay)
  const body = bytes === undefined ? undefined : viewOf(decodeContent(bytes)).shared?.['body']
  return typeof body === 'string' ? body : ''
}

async function until(scheduler: Scheduler, condition: () => boolean): Promise<void> {
  if (!(await scheduler.runUntil(condition, PATIENCE_MS))) throw new Error(`Waiting: ${condition}`)
}

describe('stock Yjs clients and Tidemark clients on one entity', () => {
  test.for(SEEDS)(
    '[L24] [CONV-1] [L18] all end with the same, each letter once, and see nothing before it is on disk: seed %i',
    async (seed) => {
      const { relay, stock, tabs, letters, violations, converged } = await play(seed)
      expect(stock.map(({ refused }) => refused)).toEqual(stock.map(() => undefined))
      expect(violations).toEqual([])
      expect(converged).toBe(true)
      for (const { doc } of stock) expect(holdsAll(doc, relay)).toBe(true)
      const left = [...letters.written].filter((letter) => !letters.erased.has(letter))
      expect([...storedText(relay)].sort()).toEqual(left.sort())
      expect(left.length).toBeGreaterThan(20)
      const head = relay.disk.spaces.get('team')?.entities.get(`cards/${ID}`)?.head
      expect(head?.generation).toBe('0')
      for (const { store } of tabs) {
        const card = store.cards.get(ID)
        expect(card?.$version.sequence).toBe(head?.versionSequence)
        expect(card?.steps).toEqual(stock[0]?.doc.getArray('steps').toArray())
      }
      expect(head?.clients.size).toBeLessThan(DEFAULT_LIMITS.maxClientsPerPinnedEntity)
    },
  )
})
