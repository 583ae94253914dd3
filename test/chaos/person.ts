import type { BrowserProfile } from '../support/browser-profile.js'
import { type CardsPage, openCards } from '../support/cards-page.js'
import { DOOMED, type Intent } from './intents.js'
import type { Ledger } from './ledger.js'
import { perform } from './perform.js'

/** Somebody with a browser, at work in one space. */
export interface Person {
  readonly name: string
  readonly cards: CardsPage
  /**
   * Does it all at once; what becomes of it is open.
   *
   * @param restorable cards that may be restored. Default: those that this person deleted.
   */
  act(intents: readonly Intent[], restorable?: readonly string[]): Promise<void>
  /** Waits until everything that was done in this page is on this person's disk. */
  save(): Promise<void>
  /** Waits until something that was done is on its way to the relay, or all of it is there. */
  isSending(): Promise<void>
  /** Loses the page as it is, and starts the browser again. */
  restart(how: 'close' | 'kill'): Promise<void>
}

interface PersonOptions {
  readonly profile: BrowserProfile
  readonly url: string
  readonly space: string
  readonly ledger: Ledger
}

interface DeedsWindow {
  readonly deeds?: readonly { readonly id: string; when(stage: 'saved'): Promise<void> }[]
}

export async function sendIn({ profile, url, space, ledger }: PersonOptions): Promise<Person> {
  const { name } = profile
  const open = (): Promise<CardsPage> => openCards(profile, { url, user: name, space })
  let cards = await open()
  return {
    name,
    get cards() {
      return cards
    },
    async act(intents, restorable = ledger.deletedBy(name)) {
      const deeds = await cards.evaluate(perform, {
        author: name,
        intents,
        deletable: `^(${name}|${DOOMED})-`,
        restorable,
      })
      ledger.add(deeds)
    },
    async save() {
      const ids = await cards.page.evaluate(async () => {
        const { deeds = [] } = window as unknown as DeedsWindow
        await Promise.all(deeds.map((deed) => deed.when('saved')))
        return deeds.map(({ id }) => id)
      })
      ledger.saved(ids)
    },
    isSending: () =>
      cards.evaluate(
        (store) =>
          new Promise<void>((resolve) => {
            const look = (): void => {
              const { syncing, pending } = store.status.current
              if (syncing > 0 || pending === 0) resolve()
            }
            store.status.subscribe(look)
            look()
          }),
      ),
    async restart(how) {
      await profile[how]()
      await profile.open()
      cards = await open()
    },
  }
}
