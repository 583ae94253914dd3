import { describe, expect } from 'vitest'
import { type CardsAddress, type CardsPage, openCards } from '../support/cards-page.js'
import { readRelayLog } from '../support/relay-log.js'
import { becomesOnline, becomesSynced, converge } from '../support/settled.js'
import { test } from '../support/stage.js'

async function addByHand({ page }: CardsPage, title: string, url: string): Promise<void> {
  await page.getByTestId('add-card').first().click()
  await page.getByLabel('Address').fill(url)
  await page.getByLabel('Title').fill(title)
  await page.getByRole('button', { name: 'Add bookmark' }).click()
  await page.getByTestId('card').filter({ hasText: title }).waitFor()
}

async function titles(cards: CardsPage): Promise<string[]> {
  return (await cards.snapshot()).map(({ title }) => title).sort()
}

describe('a browser whose relay is gone', () => {
  test('[A3] [B1] the page and all data are there after reloads and restarts, and reach the relay when it is back', async ({
    stage,
  }) => {
    const relay = await stage.relay()
    const address: CardsAddress = { url: relay.url, user: 'ada' }
    const profile = await stage.profile('ada')
    let ada = await openCards(profile, address)
    const known = await ada.insert({ title: 'Known to the relay', tags: ['sea'] })
    await becomesSynced(ada)
    await ada.becomesInstalled()

    await relay.kill()
    await ada.reload()
    await ada.card(known.card).getByText('Known to the relay').waitFor()
    expect(await ada.badge(known.card).getAttribute('data-status')).toBe('synced')
    await ada.offlineBanner.waitFor()

    await addByHand(ada, 'Added by hand', 'https://example.com/tides')
    const edit = await ada.retitle(known.card, 'Edited offline')
    const offline = await ada.snapshot()
    expect(await titles(ada)).toEqual(['Added by hand', 'Edited offline'])

    await ada.reload()
    expect(await ada.snapshot()).toEqual(offline)
    expect(await ada.badge(known.card).getAttribute('data-status')).toBe('pending')

    await profile.close()
    await profile.open()
    ada = await openCards(profile, address)
    expect(await ada.snapshot()).toEqual(offline)
    const deleted = await ada.insert({ title: 'Deleted at once' })
    await ada.evaluate((store, id) => store.cards.delete(id).when('saved'), deleted.card)

    await profile.kill()
    await profile.open()
    ada = await openCards(profile, address)
    expect(await ada.snapshot()).toEqual(offline)
    expect((await ada.status()).pending).toBe(4)

    await relay.start()
    await ada.hintOnline()
    await becomesSynced(ada)
    expect(readRelayLog(relay).get(edit.operation)).toBeDefined()
    const bob = await openCards(await stage.profile('bob'), { url: relay.url, user: 'bob' })
    await becomesOnline(bob)
    await converge(ada, bob)
    expect(await titles(bob)).toEqual(['Added by hand', 'Edited offline'])
  })

  test('[B9] it comes back by itself, without a hint from the network', async ({ stage }) => {
    const relay = await stage.relay()
    const ada = await openCards(await stage.profile('ada'), { url: relay.url, user: 'ada' })
    await becomesOnline(ada)
    await relay.stop()
    await ada.offlineBanner.waitFor()
    await ada.insert({ title: 'Written in between' })
    await relay.start()
    await becomesSynced(ada)
    await ada.offlineBanner.waitFor({ state: 'detached' })
  })
})
