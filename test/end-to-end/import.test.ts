import { describe, expect } from 'vitest'
import { generateBookmarkFile } from '../support/bookmark-file.js'
import { type CardsPage, openCards } from '../support/cards-page.js'
import { describeLongTasks, observeLongTasks } from '../support/long-tasks.js'
import { takeScreenshot } from '../support/screenshots.js'
import { becomesOnline, becomesSynced, converge } from '../support/settled.js'
import { test } from '../support/stage.js'

const COUNT = 5_000
const SEED = 1
const DEADLINE_MS = 60_000

interface ProgressWindow {
  percents: number[]
}

/** Notes every value that the progress bar shows. */
async function watchProgress({ page }: CardsPage): Promise<() => Promise<readonly number[]>> {
  await page.evaluate(() => {
    const observed = window as unknown as ProgressWindow
    observed.percents = []
    new MutationObserver(() => {
      const value = document.querySelector('[role="progressbar"]')?.getAttribute('aria-valuenow')
      if (value !== null && value !== undefined) observed.percents.push(Number(value))
    }).observe(document.body, { subtree: true, childList: true, attributes: true })
  })
  return () => page.evaluate(() => (window as unknown as ProgressWindow).percents)
}

async function shows(cards: CardsPage, shown: number, total: number): Promise<void> {
  await expect
    .poll(() => cards.cardCount.evaluate(({ dataset }) => [dataset['shown'], dataset['total']]), {
      timeout: DEADLINE_MS,
    })
    .toEqual([String(shown), String(total)])
}

describe('a bookmark file of 5,000 links', () => {
  test('[B14] is imported with a progress bar, reaches the other browser, and survives a reload', {
    timeout: 240_000,
  }, async ({ stage }) => {
    const { path, addresses } = generateBookmarkFile(stage.folder('bookmarks'), COUNT, SEED)
    const total = addresses.size
    const relay = await stage.relay()
    const ada = await openCards(await stage.profile('ada'), { url: relay.url, user: 'ada' })
    const bob = await openCards(await stage.profile('bob'), { url: relay.url, user: 'bob' })
    for (const cards of [ada, bob]) await becomesOnline(cards)
    await observeLongTasks(ada.page)
    await ada.reload()
    await becomesOnline(ada)
    const percents = await watchProgress(ada)

    const started = performance.now()
    await ada.page.getByTestId('import-file').setInputFiles(path)
    await ada.importProgress
      .and(ada.page.locator('[data-phase="done"]'))
      .waitFor({ timeout: DEADLINE_MS })
    const saved = Math.round(performance.now() - started)
    await ada.importProgress
      .and(ada.page.locator(`[data-saved="${total}"][data-synced="${total}"]`))
      .waitFor({ timeout: DEADLINE_MS })
    const synced = Math.round(performance.now() - started)
    console.log(
      `${total} bookmarks: ${saved} ms until saved, ${synced} ms until synced; ${await describeLongTasks(ada.page)}`,
    )
    console.log(await takeScreenshot(ada.page, 'import-done'))
    const seen = await percents()
    expect(seen.at(-1)).toBe(100)
    expect(new Set(seen).size).toBeGreaterThan(5)

    await shows(ada, total, total)
    await shows(bob, total, total)
    await becomesSynced(ada)
    await converge(ada, bob)
    console.log(await takeScreenshot(bob.page, 'import-other-browser'))

    await ada.page.reload()
    await shows(ada, total, total)
    console.log(`reload with ${total} cards: ${await describeLongTasks(ada.page)}`)
    expect((await ada.snapshot()).map(({ status }) => status)).toEqual(
      Array.from({ length: total }, () => 'synced'),
    )
  })

  test('[B14] scrolls and filters, and imports nothing twice', { timeout: 240_000 }, async ({
    stage,
  }) => {
    const { path, addresses } = generateBookmarkFile(stage.folder('bookmarks'), COUNT, SEED)
    const total = addresses.size
    const relay = await stage.relay()
    const profile = await stage.profile('ada')
    const ada = await openCards(profile, { url: relay.url, user: 'ada' })
    await observeLongTasks(ada.page)
    await ada.reload()
    await ada.page.getByTestId('import-file').setInputFiles(path)
    await ada.importProgress
      .and(ada.page.locator('[data-phase="done"]'))
      .waitFor({ timeout: DEADLINE_MS })
    await shows(ada, total, total)
    await describeLongTasks(ada.page)

    const oldest = await ada.evaluate(
      (store) => store.cards.query({ orderBy: ['addedAt', 'asc'], limit: 1 }).current[0]?.id ?? '',
    )
    await expect
      .poll(
        async () => {
          await ada.page.evaluate(() => window.scrollTo(0, document.body.scrollHeight))
          return ada.card(oldest).isVisible()
        },
        { timeout: DEADLINE_MS },
      )
      .toBe(true)
    expect(await ada.cards.count()).toBeLessThan(100)
    console.log(`to the end of the list: ${await describeLongTasks(ada.page)}`)
    console.log(await takeScreenshot(ada.page, 'list-end'))

    // Every address of the generator ends in the number of its link.
    await ada.search.pressSequentially(`-${COUNT - 1}`)
    await shows(ada, 1, total)
    expect(await ada.cards.count()).toBe(1)
    console.log(`typing into the search field: ${await describeLongTasks(ada.page)}`)
    await ada.search.fill('')
    await shows(ada, total, total)

    await ada.page.getByRole('button', { name: 'Close' }).click()
    await ada.page.getByTestId('import-file').setInputFiles(path)
    await ada.importProgress
      .and(ada.page.locator('[data-phase="done"]'))
      .waitFor({ timeout: DEADLINE_MS })
    await shows(ada, total, total)
  })
})
