import { COUNT, type ItemStore, yItems } from './items.js'
import { verify } from './tasks.js'
import { openYIndexedDb } from './y-indexeddb.js'

/** Milliseconds from opening, in a page where nothing has run before. */
export interface LoadTimes {
  readonly ready: number
  /** Until the first 50 in the order of their titles could be shown. */
  readonly first: number
  /** Until every field of every item has been read. */
  readonly all: number
}

const FIRST = 50

export async function loadItems(store: ItemStore, start: number): Promise<LoadTimes> {
  await store.ready
  const ready = performance.now() - start
  const { current } = store.items.query({ orderBy: ['title'], limit: FIRST })
  const first = performance.now() - start
  let characters = 0
  for (const row of store.items.query().current) characters += lengthOf(row)
  const all = performance.now() - start
  verify(current.length === FIRST && characters > COUNT, `${characters} characters were read`)
  return { ready, first, all }
}

export async function loadYItems(name: string): Promise<LoadTimes> {
  const start = performance.now()
  const { doc, close } = await openYIndexedDb(name)
  const ready = performance.now() - start
  const items = yItems(doc)
  const titles = [...items].map(([id, item]) => ({ id, title: String(item.get('title')) }))
  // What a query of Tidemark sorts with.
  const { compare } = new Intl.Collator(undefined, { numeric: true, sensitivity: 'variant' })
  titles.sort((a, b) => compare(a.title, b.title))
  const rows = titles.slice(0, FIRST).map(({ id }) => items.get(id)?.toJSON())
  const first = performance.now() - start
  let characters = 0
  for (const item of items.values()) characters += lengthOf(item.toJSON())
  const all = performance.now() - start
  verify(rows.length === FIRST && characters > COUNT, `${characters} characters were read`)
  await close()
  return { ready, first, all }
}

function lengthOf(row: { readonly title?: unknown; readonly body?: unknown }): number {
  return String(row.title).length + String(row.body).length
}
