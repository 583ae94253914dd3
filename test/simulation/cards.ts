import {
  collection,
  counter,
  defineSchema,
  type EntityRow,
  isTidemarkError,
  list,
  set,
  text,
} from '@tidemark/core'
import * as z from 'zod'
import type { Tab } from './device.js'

export const schema = defineSchema({
  version: 1,
  collections: {
    cards: collection({
      title: z.string().optional(),
      note: z.string().optional(),
      tags: set(z.string()),
      body: text(),
      steps: list(z.string(), { unique: true }),
      votes: counter(),
    }),
  },
})
export type Schema = typeof schema.collections
export type CardFields = Schema['cards']['fields']
export type Card = EntityRow<CardFields>

export function isTombstone({ cards }: Tab<Schema>['store'], id: string): boolean {
  if (cards.get(id) !== undefined) return false
  try {
    cards.update(id, () => undefined)
    return false
  } catch (error) {
    return isTidemarkError(error) && error.code === 'entity-deleted'
  }
}

export function rowsOf(tab: Tab<Schema>): readonly Card[] {
  return tab.store.cards.query({ orderBy: ['id'] }).current
}

/** A row without what is this device's own. */
export function valuesOf({ $status: _status, $error: _error, ...shared }: Card): unknown {
  return shared
}
