import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  collection,
  createMemoryStorage,
  createStoreOn,
  defineSchema,
  type OperationInfo,
  type Store,
} from '@tidemark/core'
import { MAX_CLOCK_DRIFT_MS } from '@tidemark/core/entity'
import { createNodePlatform } from '@tidemark/core/node'
import { createRelayServer } from '@tidemark/server'
import { describe, expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'

const schema = defineSchema({
  version: 1,
  collections: { cards: collection({ title: z.string(), note: z.string().optional() }) },
})

const YEARS = 10 * 365 * 24 * 3_600_000
const DEADLINE_MS = 30_000

interface Device {
  readonly store: Store<typeof schema.collections>
  /** Milliseconds that its clock is ahead. */
  ahead: number
  /** Operations as the app has seen them, whenever one of them had an error to show. */
  readonly troubles: readonly OperationInfo[]
}

/** A relay on a disk and a socket, and devices that tell whatever time they like. */
async function startRelay(): Promise<(user: string, ahead: number) => Promise<Device>> {
  const data = mkdtempSync(join(tmpdir(), 'tidemark-clocks-'))
  const relay = await createRelayServer({ data, port: 0, host: '127.0.0.1' })
  onTestFinished(async () => {
    await relay.close()
    rmSync(data, { recursive: true, force: true })
  })
  return async (user, ahead) => {
    const platform = createNodePlatform()
    const clock = { ...platform.clock, now: () => Date.now() + device.ahead }
    const options = { schema, user, space: 'team', url: relay.url.replace(/^http/, 'ws') }
    const troubles: OperationInfo[] = []
    const device: Device = {
      ahead,
      troubles,
      // It asks for the time at once.
      get store() {
        return store
      },
    }
    const store = createStoreOn(options, { ...platform, clock }, createMemoryStorage())
    onTestFinished(() => store.close())
    store.operations.subscribe((operations) => {
      troubles.push(...operations.filter(({ lastError }) => lastError !== undefined))
    })
    await store.ready
    return device
  }
}

/** Every device shows the same, and nothing waits or has failed anywhere. */
async function converge(...devices: readonly Device[]): Promise<void> {
  const shown = () =>
    devices.map(({ store }) => ({
      rows: store.cards.query({ orderBy: ['id'] }).current,
      status: store.status.current,
    }))
  const agree = (): boolean => {
    const [first, ...others] = shown()
    const rows = JSON.stringify(first?.rows)
    return (
      others.every((other) => JSON.stringify(other.rows) === rows) &&
      shown().every(
        ({ status }) => status.connection === 'online' && status.pending + status.syncing === 0,
      )
    )
  }
  // Where they differ is said below.
  await expect
    .poll(agree, { timeout: DEADLINE_MS })
    .toBe(true)
    .catch(() => undefined)
  const [first, ...others] = shown()
  for (const other of others) expect(other.rows).toEqual(first?.rows)
  for (const { status } of shown())
    expect(status).toMatchObject({ pending: 0, syncing: 0, failed: 0 })
  for (const { troubles } of devices) expect(troubles).toEqual([])
}

function expectPresent(device: Device, id: string): void {
  const { $version, $status } = device.store.cards.get(id) ?? {}
  expect($status).toBe('synced')
  expect(Math.abs(($version?.lastModified ?? 0) / 1000 - Date.now())).toBeLessThan(
    MAX_CLOCK_DRIFT_MS,
  )
}

describe('devices whose clocks are ten years off', () => {
  test('[L7] [CLK-1] converge with the others, block nobody, and win nothing by it', async () => {
    const device = await startRelay()
    const [ahead, behind, right] = [
      await device('ada', YEARS),
      await device('bo', -YEARS),
      await device('cy', 0),
    ]
    // Before either has heard of the relay's time.
    const first = ahead.store.cards.insert({ id: 'by-ahead', title: 'from the future' })
    const second = behind.store.cards.insert({ id: 'by-behind', title: 'from the past' })
    ahead.store.cards.update('by-ahead', (card) => {
      card.title = 'from the future, twice'
    })
    await Promise.all([first.when('synced'), second.when('synced')])
    await converge(ahead, behind, right)
    expectPresent(right, 'by-ahead')

    // Each goes on from what the others wrote.
    for (const [{ store }, title] of [
      [ahead, 'edited ahead'],
      [behind, 'edited behind'],
      [right, 'edited last'],
    ] as const) {
      for (const id of ['by-ahead', 'by-behind']) {
        const edit = store.cards.update(id, (card) => {
          card.title = title
        })
        await edit.when('synced')
      }
      await converge(ahead, behind, right)
      for (const id of ['by-ahead', 'by-behind']) {
        expect(right.store.cards.get(id)).toMatchObject({ title, $conflicts: {} })
        expectPresent(right, id)
      }
    }
  })

  test('[L7] [CLK-1] sync on when the clock is set in the middle, there and back', async () => {
    const device = await startRelay()
    const [one, other] = [await device('ada', 0), await device('bo', 0)]
    const insert = one.store.cards.insert({ id: 'card', title: '0' })
    await insert.when('synced')
    await converge(one, other)
    let title = 0
    for (const ahead of [YEARS, 0, -YEARS, YEARS, MAX_CLOCK_DRIFT_MS + 60_000, 0]) {
      one.ahead = ahead
      for (const { store } of [one, one, other]) {
        title += 1
        const edit = store.cards.update('card', (card) => {
          card.title = `${title}`
          card.note = `note ${title}`
        })
        await edit.when('synced')
        await converge(one, other)
        expect(other.store.cards.get('card')).toMatchObject({ title: `${title}`, $conflicts: {} })
        expectPresent(other, 'card')
      }
    }
  })
})
