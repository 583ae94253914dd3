import {
  collection,
  defineSchema,
  type FieldsOf,
  type InsertInput,
  type OperationHandle,
  type Schema,
  type Store,
} from '@tidemark/core'
import * as Y from 'yjs'
import * as z from 'zod'

/** What all benchmarks work on: entities of eight fields. */
export const COUNT = 10_000

const collections = {
  items: collection({
    title: z.string(),
    body: z.string(),
    done: z.boolean(),
    rank: z.number(),
    owner: z.string(),
    created: z.number(),
    tag: z.string(),
    priority: z.number(),
  }),
}

export type FieldName = keyof typeof collections.items.fields
export type FieldValue = string | number | boolean

type ItemCollections = typeof collections
export type ItemStore = Store<ItemCollections>
export type ItemValues = InsertInput<FieldsOf<Schema<ItemCollections>, 'items'>>

export const schema: Schema<ItemCollections> = defineSchema({ version: 1, collections })

export function idOf(index: number): string {
  return `e${index}`
}

/** Ranks go up with the index; titles don't. */
export function valuesOf(index: number): Omit<ItemValues, 'id'> {
  return {
    title: `Entity number ${(index * 7_919) % COUNT}`,
    body: `some short descriptive text ${index}`,
    done: index % 2 === 0,
    rank: index,
    owner: `user-${index % 50}`,
    created: 1_700_000_000_000 + index,
    tag: `t${index % 20}`,
    priority: index % 4,
  }
}

export function insertItem(store: ItemStore, index: number): OperationHandle {
  return store.items.insert({ id: idOf(index), ...valuesOf(index) })
}

/** The same in Yjs, as its users lay it out: one document, a map of entities, a nested map each. */
export type YItem = Y.Map<string | number | boolean>

export function yItems(doc: Y.Doc): Y.Map<YItem> {
  return doc.getMap<YItem>('items')
}

export function insertYItem(items: Y.Map<YItem>, index: number, prefix = ''): void {
  items.doc?.transact(() => {
    const item: YItem = new Y.Map()
    for (const [field, value] of Object.entries(valuesOf(index))) item.set(field, value)
    items.set(prefix + idOf(index), item)
  })
}

/** Puts all items into a document, or the first `count`, as one update. */
export function fillYDoc(doc: Y.Doc, count: number = COUNT): Y.Doc {
  const items = yItems(doc)
  doc.transact(() => {
    for (let index = 0; index < count; index++) insertYItem(items, index)
  })
  return doc
}
