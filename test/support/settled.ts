import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { CardsPage } from './cards-page.js'

/** Long enough for a reconnection whose back-off has grown, on a machine that is busy with other things. */
const DEADLINE_MS = 40_000

/** Waits until a page is connected and has everything that the relay has. */
export async function becomesOnline(cards: CardsPage): Promise<void> {
  await expect
    .poll(async () => (await cards.status()).connection, { timeout: DEADLINE_MS })
    .toBe('online')
}

/** Waits until everything that was written in a page is with the relay. */
export async function becomesSynced(cards: CardsPage): Promise<void> {
  await expect
    .poll(() => cards.status(), { timeout: DEADLINE_MS })
    .toMatchObject({ connection: 'online', pending: 0, syncing: 0, failed: 0 })
  expect(await cards.operations()).toEqual([])
  const unsafe = (await cards.snapshot()).filter(({ status }) => status !== 'synced')
  expect(unsafe).toEqual([])
}

/** Waits until pages show the same cards with the same values, conflicts included. */
export async function converge(first: CardsPage, ...others: readonly CardsPage[]): Promise<void> {
  for (const other of others) {
    const agree = async (): Promise<boolean> =>
      isDeepStrictEqual(await first.snapshot(), await other.snapshot())
    const waiting = expect.poll(agree, { timeout: DEADLINE_MS }).toBe(true)
    // Where they differ is said below.
    await waiting.catch(() => undefined)
    expect(await other.snapshot()).toEqual(await first.snapshot())
  }
}
