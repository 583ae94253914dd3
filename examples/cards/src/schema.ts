import { collection, defineSchema, set } from '@tidemark/core'
import * as z from 'zod'

export const schema = defineSchema({
  version: 1,
  collections: {
    cards: collection({
      title: z.string().min(1),
      url: z.url({ protocol: /^https?$/ }).optional(),
      note: z.string().default(''),
      tags: set(z.string().min(1)),
      /** Milliseconds since the Unix epoch. */
      addedAt: z.number(),
    }),
  },
})
