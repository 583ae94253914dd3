import { collection, defineSchema, type Store } from '@tidemark/core'
import { createStore } from '@tidemark/core/node'
import { describe, expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import { type RelayCommand, startRelayCommand } from '../support/relay-command.js'

const CLIENTS = 500
/** The share of all clients that may come back within any second (NET-2). */
const SHARE = 0.15
const LIMITS = { hellosPerSecond: 35, hellosBurst: 10, reconnectsPerSecond: 35 }
const PATIENCE = { timeout: 100_000, interval: 250 }

const schema = defineSchema({
  version: 1,
  collections: { cards: collection({ title: z.string() }) },
})
type CardsStore = Store<typeof schema.collections>

/** Every client in a space of its own: what comes back are connections, not copies of one edit. */
function openStores(url: string): readonly CardsStore[] {
  return Array.from({ length: CLIENTS }, (_, index) =>
    createStore({ schema, user: `user-${index}`, space: `space-${index}`, url }),
  )
}

function onlineOf(stores: readonly CardsStore[]): number {
  return stores.filter(({ status }) => status.current.connection === 'online').length
}

/** Stores that have something which the relay hasn't. */
function waitingOf(stores: readonly CardsStore[]): number {
  return stores.filter(({ status }) => status.current.pending + status.current.syncing > 0).length
}

/** When connections were opened, as the relay's own clock tells. */
function openedAfter(relay: RelayCommand, time: number): readonly number[] {
  return relay
    .logged()
    .filter((line) => line.msg === 'connection opened' && line.time > time)
    .map((line) => line.time)
    .sort((a, b) => a - b)
}

/** How many of the times fall into the fullest second. */
function fullestSecond(times: readonly number[]): number {
  let fullest = 0
  let from = 0
  for (const [to, time] of times.entries()) {
    while ((times[from] ?? time) <= time - 1_000) from += 1
    fullest = Math.max(fullest, to - from + 1)
  }
  return fullest
}

describe('five hundred clients that lose their relay', () => {
  test.each([
    ['with a goodbye', (relay: RelayCommand) => relay.stop()],
    ['without one (kill -9)', (relay: RelayCommand) => relay.kill()],
  ] as const)(
    '[NET-2] [O9] %s come back spread out, all of them, with everything that they wrote',
    async (_how, end) => {
      const relay = await startRelayCommand({ limits: LIMITS, logLevel: 'debug' })
      const stores = openStores(relay.webSocketUrl)
      onTestFinished(async () => {
        await Promise.all(stores.map((store) => store.close()))
        await relay.dispose()
      })
      // Already the first time they come all at once.
      await expect.poll(() => onlineOf(stores), PATIENCE).toBe(CLIENTS)
      expect(fullestSecond(openedAfter(relay, 0))).toBeLessThanOrEqual(SHARE * CLIENTS)

      const lostAt = Date.now()
      await end(relay)
      await expect.poll(() => onlineOf(stores), PATIENCE).toBe(0)
      for (const store of stores) store.cards.insert({ title: 'written while it was away' })
      await relay.start()
      await expect.poll(() => onlineOf(stores), PATIENCE).toBe(CLIENTS)
      await expect.poll(() => waitingOf(stores), PATIENCE).toBe(0)

      const times = openedAfter(relay, lostAt)
      expect(times.length).toBeGreaterThanOrEqual(CLIENTS)
      expect(fullestSecond(times)).toBeLessThanOrEqual(SHARE * CLIENTS)
      expect(stores.every(({ status }) => status.current.failed === 0)).toBe(true)
    },
    240_000,
  )
})
