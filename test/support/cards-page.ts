import type { EntityStatus, OperationInfo, StoreStatus } from '@tidemark/core'
import type { JSHandle, Locator, Page } from 'playwright-core'
import type { BrowserProfile } from './browser-profile.js'
import type { CardsStore } from './cards-store.js'

/** A tab with the example app. */
export interface CardsPage {
  readonly page: Page
  readonly cards: Locator
  readonly search: Locator
  readonly offlineBanner: Locator
  readonly importProgress: Locator
  readonly cardCount: Locator
  card(id: string): Locator
  /** Whose `data-status` is the card's true status. */
  badge(id: string): Locator
  /** Runs a function in the page. It gets the app's store, and can use nothing from here but `argument`. */
  evaluate<A, R>(work: (store: CardsStore, argument: A) => R, argument: A): Promise<Awaited<R>>
  evaluate<R>(work: (store: CardsStore) => R): Promise<Awaited<R>>
  /** Adds a card; resolves when it is saved. */
  insert(card: NewCard): Promise<Written>
  /** Gives a card another title; resolves when that is saved. */
  retitle(id: string, title: string): Promise<Written>
  /** All cards that are there, by id. */
  snapshot(): Promise<readonly CardSnapshot[]>
  status(): Promise<StoreStatus>
  operations(): Promise<readonly OperationInfo[]>
  /** Waits until the page would load without a server from now on. */
  becomesInstalled(): Promise<void>
  /** Says what a browser says when the network is back: so that a test needn't wait for the back-off. */
  hintOnline(): Promise<void>
  reload(): Promise<void>
}

export interface NewCard {
  readonly id?: string
  readonly title: string
  readonly note?: string
  readonly tags?: readonly string[]
}

export interface Written {
  readonly operation: string
  readonly card: string
}

export interface CardSnapshot {
  readonly id: string
  readonly title: string
  readonly note: string
  readonly tags: readonly string[]
  readonly status: EntityStatus
  /** All live values of the title, the shown one first; only that one when there is no conflict. */
  readonly titles: readonly string[]
}

export interface CardsAddress {
  readonly url: string
  readonly user: string
  readonly space?: string
}

/** Opens the app in a new tab; resolves when its local data is there. */
export async function openCards(
  profile: Pick<BrowserProfile, 'newPage'>,
  { url, user, space = 'bookmarks' }: CardsAddress,
): Promise<CardsPage> {
  const page = await profile.newPage()
  await page.goto(`${url}/?${new URLSearchParams({ user, space }).toString()}`)
  const cards = cardsPage(page)
  await cards.evaluate((store) => store.ready)
  return cards
}

function cardsPage(page: Page): CardsPage {
  async function storeOf(): Promise<JSHandle<CardsStore>> {
    await page.waitForFunction('window.tidemark !== undefined')
    return page.evaluateHandle<CardsStore>('window.tidemark.store')
  }

  async function evaluate<A, R>(
    work: (store: CardsStore, argument: A) => R,
    argument?: A,
  ): Promise<Awaited<R>> {
    const store = await storeOf()
    const result = await store.evaluate(
      work as (store: CardsStore, argument: unknown) => R,
      argument,
    )
    return result as Awaited<R>
  }

  const card = (id: string): Locator => page.locator(`[data-testid="card"][data-id="${id}"]`)
  return {
    page,
    cards: page.getByTestId('card'),
    search: page.getByTestId('search'),
    offlineBanner: page.getByTestId('offline-banner'),
    importProgress: page.getByTestId('import-progress'),
    cardCount: page.getByTestId('card-count'),
    card,
    badge: (id) => card(id).locator('[data-status]'),
    evaluate,
    insert: (input) =>
      evaluate(async (store, { tags = [], ...values }) => {
        const handle = store.cards.insert({ addedAt: Date.now(), tags, ...values })
        await handle.when('saved')
        return { operation: handle.id, card: handle.entity.id }
      }, input),
    retitle: (id, title) =>
      evaluate(
        async (store, change) => {
          const handle = store.cards.update(change.id, (draft) => {
            draft.title = change.title
          })
          await handle.when('saved')
          return { operation: handle.id, card: handle.entity.id }
        },
        { id, title },
      ),
    snapshot: () =>
      evaluate((store) =>
        store.cards.query().current.map((row) => ({
          id: row.id,
          title: row.title,
          note: row.note,
          tags: row.tags,
          status: row.$status,
          titles: row.$conflicts['title']?.map((rival) => String(rival.value)) ?? [row.title],
        })),
      ),
    status: () => evaluate((store) => store.status.current),
    operations: () => evaluate((store) => store.operations.list()),
    async becomesInstalled() {
      await page.evaluate(async () => {
        const { active } = await navigator.serviceWorker.ready
        if (active === null || active.state === 'activated') return
        await new Promise<void>((resolve) => {
          active.addEventListener('statechange', () => {
            if (active.state === 'activated') resolve()
          })
        })
      })
    },
    async hintOnline() {
      await page.evaluate(() => window.dispatchEvent(new Event('online')))
    },
    async reload() {
      await page.reload()
      await evaluate((store) => store.ready)
    },
  }
}
