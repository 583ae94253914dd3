import { randomUUID } from 'node:crypto'
import { describe, expect } from 'vitest'
import { type CardsPage, openCards } from '../support/cards-page.js'
import { readRelayLog } from '../support/relay-log.js'
import { becomesOnline } from '../support/settled.js'
import { test } from '../support/stage.js'
import { refute, type SyncedClaim, witnessStatuses } from '../support/synced-claims.js'

/** Long enough that a page that says "synced" before the fsync is over is caught in the act. */
const SLOW_SYNC_MS = 150
/** Long enough to kill the relay between a write and its sync. */
const VERY_SLOW_SYNC_MS = 500
const SPACE = 'bookmarks'

async function showsSynced(cards: CardsPage, id: string): Promise<void> {
  await cards.page.locator(`[data-id="${id}"] [data-status="synced"]`).waitFor()
}

describe('two browsers on one relay', () => {
  test('[F1] an edit in one shows in the other', async ({ stage }) => {
    const relay = await stage.relay()
    const ada = await openCards(await stage.profile('ada'), { url: relay.url, user: 'ada' })
    const bob = await openCards(await stage.profile('bob'), { url: relay.url, user: 'bob' })

    const { card } = await ada.insert({ title: 'Tide tables' })
    await bob.card(card).getByText('Tide tables').waitFor()
    await bob.retitle(card, 'Tide tables 2027')
    await ada.card(card).getByText('Tide tables 2027').waitFor()
    await ada.evaluate((store, id) => void store.cards.delete(id), card)
    await bob.card(card).waitFor({ state: 'detached' })
    await ada.evaluate((store, id) => void store.cards.restore(id), card)
    await bob.card(card).getByText('Tide tables 2027').waitFor()
  })

  test('[F2] [L18] a card is synced only once the relay has it on disk, after pending and syncing', async ({
    stage,
  }) => {
    const relay = await stage.relay({ slowSync: SLOW_SYNC_MS })
    const ada = await openCards(await stage.profile('ada'), { url: relay.url, user: 'ada' })
    const bob = await openCards(await stage.profile('bob'), { url: relay.url, user: 'bob' })
    for (const cards of [ada, bob]) await becomesOnline(cards)
    const author = await witnessStatuses(ada, relay, SPACE)
    const reader = await witnessStatuses(bob, relay, SPACE)

    const { card } = await ada.insert({ title: 'Written by Ada' })
    await showsSynced(ada, card)
    await showsSynced(bob, card)
    expect(await author.history(card)).toEqual(['pending', 'syncing', 'synced'])
    expect((await author.badgeHistory(card)).at(-1)).toBe('synced')
    expect(await reader.history(card)).toEqual(['synced'])

    // Bursts, so that operations wait behind and beside others that are being committed.
    for (let round = 0; round < 4; round++) {
      await ada.retitle(card, `Ada ${round}`)
      await bob.retitle(card, `Bob ${round}`)
      await Promise.all([ada, bob].map((cards) => cards.insert({ title: `Round ${round}` })))
    }
    for (const cards of [ada, bob]) {
      await expect
        .poll(async () => (await cards.snapshot()).map(({ status }) => status), { timeout: 30_000 })
        .toEqual(Array.from({ length: 9 }, () => 'synced'))
    }
    expect(author.checked).toBeGreaterThan(5)
    expect(reader.checked).toBeGreaterThan(5)
    expect([...author.premature, ...reader.premature]).toEqual([])
  })

  test('[L18] [DUR-7] what a killed relay had written but not synced is synced only once that is made up for', async ({
    stage,
  }) => {
    const relay = await stage.relay({ slowSync: VERY_SLOW_SYNC_MS })
    const ada = await openCards(await stage.profile('ada'), { url: relay.url, user: 'ada' })
    await becomesOnline(ada)
    const witness = await witnessStatuses(ada, relay, SPACE)
    const { card, operation } = await ada.insert({ title: 'Written, not synced' })
    const written = () => readRelayLog({ data: relay.data, trace: undefined }).has(operation)
    await expect.poll(written, { interval: 5 }).toBe(true)
    await relay.kill()
    // A power cut now would take it: on a machine without strace there is nothing to see.
    if (relay.trace !== undefined) expect(readRelayLog(relay).has(operation)).toBe(false)

    await relay.start()
    await ada.hintOnline()
    await showsSynced(ada, card)
    await expect.poll(() => witness.checked).toBeGreaterThan(0)
    expect(witness.premature).toEqual([])
  })

  test('the check for a premature "synced" finds a made-up one', async ({ stage }) => {
    const relay = await stage.relay()
    const ada = await openCards(await stage.profile('ada'), { url: relay.url, user: 'ada' })
    const { card, operation } = await ada.insert({ title: 'Really synced' })
    await showsSynced(ada, card)
    const witness = await witnessStatuses(ada, relay, SPACE)
    const unknown = randomUUID()
    const claim: SyncedClaim = {
      by: 'store',
      card,
      confirmedSequence: 1,
      operations: [operation, unknown],
    }
    await ada.page.evaluate(
      (made) =>
        (window as unknown as { claimSynced(claim: SyncedClaim): Promise<void> }).claimSynced(made),
      claim,
    )
    expect(witness.premature).toEqual([expect.stringContaining(unknown)])

    const committed = readRelayLog(relay)
    expect(refute({ ...claim, operations: [operation] }, SPACE, committed)).toBeUndefined()
    expect(refute({ ...claim, operations: [], confirmedSequence: 2 }, SPACE, committed)).toMatch(
      /sequence 2/,
    )
    expect(refute({ ...claim, operations: [] }, 'another', committed)).toMatch(/sequence 1/)
  })
})
