import { createStore, type EntityRow, type FieldsOf } from '@tidemark/core'
import { schema } from './schema.js'
import { readSession } from './session.js'

export const session = readSession(window.location, () => window.localStorage)

/** One for the page. It works at once with what is on this device, and syncs when it can. */
export const store = createStore({ schema, ...session })

export type CardsStore = typeof store
export type Card = EntityRow<FieldsOf<typeof schema, 'cards'>>

declare global {
  interface Window {
    /** For the console: `tidemark.store.cards.query().current`. */
    tidemark?: { readonly store: CardsStore }
  }
}

window.tidemark = { store }
