import { createRelayServer } from '@tidemark/server'
import type { Page } from 'playwright-core'
import { describe, expect, onTestFinished } from 'vitest'
import type { BrowserProfile } from '../support/browser-profile.js'
import { type CardsPage, openCards } from '../support/cards-page.js'
import { inRepository } from '../support/repository.js'
import { becomesOnline } from '../support/settled.js'
import { test } from '../support/stage.js'

/** Just more than what tabs need that say it again every 30 s. */
const EXPIRY_MS = 45_000
const SOON_MS = 10_000

async function startRelay(): Promise<string> {
  const relay = await createRelayServer({
    port: 0,
    publicDirectory: inRepository('examples/cards/dist'),
    limits: { presenceExpiry: EXPIRY_MS },
  })
  onTestFinished(() => relay.close())
  return relay.url
}

/** Is there, listens, and says so. */
async function attend(tab: CardsPage, state: string): Promise<void> {
  await becomesOnline(tab)
  await tab.evaluate((store, said) => {
    const here = store.presence<string>()
    here.subscribe(() => undefined)
    here.set(said)
  }, state)
}

function seenBy(tab: CardsPage): Promise<string> {
  return tab.evaluate((store) => {
    const { peers, isLive } = store.presence<string>().current
    const names = peers.map(({ user, state, isSelf }) => `${user}:${state}${isSelf ? '*' : ''}`)
    return `${isLive ? 'live' : 'stale'} ${names.sort().join(' ')}`
  })
}

async function sees(tab: CardsPage, view: string, timeout = SOON_MS): Promise<void> {
  await expect.poll(() => seenBy(tab), { timeout }).toBe(view)
}

async function crash(page: Page): Promise<void> {
  const crashed = page.waitForEvent('crash')
  const session = await page.context().newCDPSession(page)
  // Never answered: the renderer that should answer is the one that dies.
  session.send('Page.crash').catch(() => undefined)
  await crashed
}

describe('presence of tabs and browsers', () => {
  test('[TAB-1] [F5] tabs of one device are peers of their own; closing and reloading leaves no ghosts', async ({
    stage,
  }) => {
    const url = await startRelay()
    const profile = await stage.profile('ada')
    const first = await openCards(profile, { url, user: 'ada' })
    await attend(first, 'one')
    const second = await openCards(profile, { url, user: 'ada' })
    await attend(second, 'two')
    const bob = await openCards(await stage.profile('bob'), { url, user: 'bob' })
    await attend(bob, 'three')
    await sees(bob, 'live ada:one ada:two bob:three*')
    await sees(first, 'live ada:one* ada:two bob:three')
    await sees(second, 'live ada:one ada:two* bob:three')

    // Without the link.
    await second.reload()
    await sees(bob, 'live ada:one bob:three*')
    await attend(second, 'two again')
    await sees(bob, 'live ada:one ada:two again bob:three*')
    await sees(first, 'live ada:one* ada:two again bob:three')

    // With the link, which the other one takes over.
    await first.reload()
    await sees(bob, 'live ada:two again bob:three*')
    await attend(first, 'one again')
    await sees(bob, 'live ada:one again ada:two again bob:three*')
    await sees(second, 'live ada:one again ada:two again* bob:three')

    await first.page.close()
    await sees(bob, 'live ada:two again bob:three*')
    await sees(second, 'live ada:two again* bob:three')
    await second.page.close()
    await sees(bob, 'live bob:three*')
  })

  test('[TAB-1] [SEC-10] a tab that crashes or freezes vanishes: at once with the link, otherwise within the expiry', async ({
    stage,
  }) => {
    const url = await startRelay()
    const ada = await stage.profile('ada')
    const open = async (profile: BrowserProfile, user: string, state: string) => {
      const tab = await openCards(profile, { url, user })
      await attend(tab, state)
      return tab
    }
    // The first one has the link, and the second one after it.
    const leading = await open(ada, 'ada', 'leads')
    const staying = await open(ada, 'ada', 'stays')
    const crashing = await open(ada, 'ada', 'crashes')
    const freezing = await stage.profile('eve')
    const eve = await open(freezing, 'eve', 'freezes')
    const bob = await open(await stage.profile('bob'), 'bob', 'bob')
    await sees(bob, 'live ada:crashes ada:leads ada:stays bob:bob* eve:freezes')

    await crash(leading.page)
    await sees(bob, 'live ada:crashes ada:stays bob:bob* eve:freezes')
    await sees(staying, 'live ada:crashes ada:stays* bob:bob eve:freezes')

    await freezing.freeze()
    await crash(crashing.page)
    await sees(bob, 'live ada:stays bob:bob*', EXPIRY_MS + SOON_MS)
    await sees(staying, 'live ada:stays* bob:bob')

    freezing.thaw()
    await sees(bob, 'live ada:stays bob:bob* eve:freezes', EXPIRY_MS)
    await sees(eve, 'live ada:stays bob:bob eve:freezes*')
  })
})
