import { collection, defineSchema, type Store, set } from '@tidemark/core'
import * as z from 'zod'

/** The schema of the example, as far as the tests write to it. */
const schema = defineSchema({
  version: 1,
  collections: {
    cards: collection({
      title: z.string(),
      note: z.string().default(''),
      tags: set(z.string()),
      addedAt: z.number(),
    }),
  },
})

/** What the example hands to the console as `tidemark.store`. */
export type CardsStore = Store<typeof schema.collections>
