import {
  createCollection,
  createLiveQueryCollection,
  gte,
  localOnlyCollectionOptions,
} from '@tanstack/db'
import { createMergeableStore } from 'tinybase/mergeable-store'
import { createQueries } from 'tinybase/queries'
import * as Y from 'yjs'
import {
  COUNT,
  type FieldName,
  type FieldValue,
  type ItemValues,
  idOf,
  insertYItem,
  valuesOf,
  yItems,
} from './items.js'
import { verify } from './tasks.js'

/** A library that keeps the items, for what all of them can do. */
export interface Contender {
  insert(index: number): void
  set(index: number, field: FieldName, value: FieldValue): void
  /** All items as plain objects. */
  all(): Iterable<object>
  /** Throws when not everything has been heard of that was written. */
  check(writes: number): void
  /** The size of everything as it would be stored or sent; undefined for what keeps that to others. */
  encodedBytes(): number | undefined
}

/** A live query, where there are any, has half of the items, in order. */
const RANKS_FROM = COUNT / 2

export function yjs(doc: Y.Doc = new Y.Doc()): Contender {
  const items = yItems(doc)
  let updates = 0
  doc.on('update', () => {
    updates += 1
  })
  return {
    insert: (index) => insertYItem(items, index),
    set: (index, field, value) => void items.get(idOf(index))?.set(field, value),
    *all() {
      for (const item of items.values()) yield item.toJSON()
    },
    check: (writes) => verify(updates === writes, `Yjs made ${updates} updates`),
    encodedBytes: () => Y.encodeStateAsUpdate(doc).length,
  }
}

export function tinyBase(): Contender {
  const store = createMergeableStore('author')
  const queries = createQueries(store)
  queries.setQueryDefinition('upper', 'items', ({ select, where }) => {
    for (const field of Object.keys(valuesOf(0))) select(field)
    where((cell) => Number(cell('rank')) >= RANKS_FROM)
  })
  let ids: readonly string[] = []
  queries.addResultSortedRowIdsListener(
    'upper',
    'rank',
    false,
    0,
    undefined,
    (_queries, _query, _cell, _descending, _offset, _limit, sorted) => {
      ids = sorted
    },
  )
  return {
    insert: (index) => void store.setRow('items', idOf(index), valuesOf(index)),
    set: (index, field, value) => void store.setCell('items', idOf(index), field, value),
    all: () => Object.values(store.getTable('items')),
    check() {
      const last = queries.getResultRow('upper', ids.at(-1) ?? '')
      verify(ids.length === COUNT / 2, `the query of TinyBase has ${ids.length} rows`)
      verify(String(last['title']).startsWith('renamed'), 'TinyBase renamed nothing')
    },
    encodedBytes: () => Buffer.byteLength(JSON.stringify(store.getMergeableContent())),
  }
}

type Item = ItemValues & { readonly id: string }

export async function tanStack(): Promise<Contender> {
  const options = localOnlyCollectionOptions({ id: 'items', getKey: (item: Item) => item.id })
  const collection = createCollection(options)
  await collection.preload()
  const query = createLiveQueryCollection({
    id: 'upper',
    startSync: true,
    query: (from) =>
      from
        .from({ item: collection })
        .where(({ item }) => gte(item.rank, RANKS_FROM))
        .orderBy(({ item }) => item.rank),
  })
  await query.preload()
  query.subscribeChanges(() => undefined)
  return {
    insert: (index) => void collection.insert({ id: idOf(index), ...valuesOf(index) }),
    set: (index, field, value) =>
      void collection.update(idOf(index), (draft) => {
        Object.assign(draft, { [field]: value })
      }),
    all: () => collection.toArray,
    check() {
      verify(query.size === COUNT / 2, `the query of TanStack DB has ${query.size} rows`)
      verify(query.toArray.at(-1)?.title.startsWith('renamed') === true, 'it renamed nothing')
    },
    encodedBytes: () => undefined,
  }
}
