import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import type { BrowserProfile } from '../support/browser-profile.js'
import { type CardsPage, openCards } from '../support/cards-page.js'
import { countSockets } from '../support/open-sockets.js'
import { becomesOnline, becomesSynced, converge } from '../support/settled.js'
import { test } from '../support/stage.js'

const DEADLINE_MS = 20_000

async function crash(page: Page): Promise<void> {
  const crashed = page.waitForEvent('crash')
  const session = await page.context().newCDPSession(page)
  // Never answered: the renderer that should answer is the one that dies.
  session.send('Page.crash').catch(() => undefined)
  await crashed
}

describe('two tabs of one browser', () => {
  /** A relay, and two tabs of one profile whose sockets are counted. */
  async function openTabs(url: string, profile: BrowserProfile) {
    const sockets = countSockets()
    const watched = {
      async newPage() {
        const page = await profile.newPage()
        sockets.watch(page)
        return page
      },
    }
    const open = (): Promise<CardsPage> => openCards(watched, { url, user: 'ada' })
    return { sockets, open, tabs: [await open(), await open()] as const }
  }

  test('[TAB] [F5] see each other’s edits at once, with or without a relay', async ({ stage }) => {
    const relay = await stage.relay()
    const { tabs } = await openTabs(relay.url, await stage.profile('ada'))
    const [first, second] = tabs
    const { card } = await first.insert({ title: 'With a relay' })
    await second.card(card).getByText('With a relay').waitFor()
    await becomesSynced(first)

    await relay.kill()
    await second.offlineBanner.waitFor()
    await second.retitle(card, 'Without a relay')
    await first.card(card).getByText('Without a relay').waitFor()
    await first.retitle(card, 'Back and forth')
    await second.card(card).getByText('Back and forth').waitFor()
    await first.evaluate((store, id) => void store.cards.delete(id), card)
    await second.card(card).waitFor({ state: 'detached' })

    await relay.start()
    for (const tab of tabs) await tab.hintOnline()
    for (const tab of tabs) await becomesSynced(tab)
    await converge(first, second)
  })

  test('[TAB] both write to one card while offline, and neither conflicts with the other', async ({
    stage,
  }) => {
    const relay = await stage.relay()
    const { tabs } = await openTabs(relay.url, await stage.profile('ada'))
    const [first, second] = tabs
    const { card } = await first.insert({ title: 'Start', tags: ['a'] })
    await second.card(card).waitFor()
    await becomesSynced(first)
    await relay.kill()
    for (let round = 0; round < 5; round++) {
      const [writer, reader] = round % 2 === 0 ? [first, second] : [second, first]
      await writer.retitle(card, `Round ${round}`)
      await reader.card(card).getByText(`Round ${round}`).waitFor()
    }
    await relay.start()
    for (const tab of tabs) await tab.hintOnline()
    for (const tab of tabs) await becomesSynced(tab)
    await converge(first, second)
    expect(await first.snapshot()).toMatchObject([{ title: 'Round 4', titles: ['Round 4'] }])
  })

  test('[TAB] in two spaces both sync', async ({ stage }) => {
    const relay = await stage.relay()
    const profile = await stage.profile('ada')
    const bob = await stage.profile('bob')
    const spaces = ['work', 'home']
    const tabs = await Promise.all(
      spaces.map((space) => openCards(profile, { url: relay.url, user: 'ada', space })),
    )
    for (const [index, tab] of tabs.entries()) {
      const { card } = await tab.insert({ title: `In ${spaces[index]}` })
      const other = await openCards(bob, {
        url: relay.url,
        user: 'bob',
        space: spaces[index] ?? '',
      })
      await other.card(card).waitFor()
      await becomesSynced(tab)
      expect(await tab.snapshot()).toHaveLength(1)
    }
  })

  test('[TAB-1] share one socket; when its tab closes, the other takes over', async ({ stage }) => {
    const relay = await stage.relay()
    const { sockets, tabs } = await openTabs(relay.url, await stage.profile('ada'))
    for (const tab of tabs) await becomesOnline(tab)
    expect(sockets.open).toBe(1)
    const leading = tabs.find(({ page }) => sockets.owners.includes(page))
    const following = tabs.find((tab) => tab !== leading)
    if (leading === undefined || following === undefined) throw new Error('No tab leads.')

    const { card } = await following.insert({ title: 'From the tab without a socket' })
    await becomesSynced(following)
    await leading.card(card).waitFor()

    await leading.page.close()
    await expect.poll(() => sockets.owners, { timeout: DEADLINE_MS }).toEqual([following.page])
    await following.retitle(card, 'From the tab that took over')
    await becomesSynced(following)
  })

  test('[TAB-1] when the tab with the socket crashes in the middle of its work, the other takes over', async ({
    stage,
  }) => {
    const relay = await stage.relay()
    const { sockets, open, tabs } = await openTabs(relay.url, await stage.profile('ada'))
    for (const tab of tabs) await becomesOnline(tab)
    const leading = tabs.find(({ page }) => sockets.owners.includes(page))
    const following = tabs.find((tab) => tab !== leading)
    if (leading === undefined || following === undefined) throw new Error('No tab leads.')
    await leading.evaluate(async (store) => {
      const handles = Array.from({ length: 50 }, (_, index) =>
        store.cards.insert({ title: `Card ${index}`, addedAt: index }),
      )
      await Promise.all(handles.map((handle) => handle.when('saved')))
    })
    await crash(leading.page)

    await following.hintOnline()
    await becomesSynced(following)
    expect(await following.snapshot()).toHaveLength(50)
    const third = await open()
    await becomesSynced(third)
    await converge(following, third)
    expect(sockets.owners).toEqual([following.page])
  })
})
