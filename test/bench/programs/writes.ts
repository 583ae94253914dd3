import type { OperationHandle } from '@tidemark/core'
import * as Y from 'yjs'
import {
  COUNT,
  type ItemStore,
  idOf,
  insertItem,
  insertYItem,
  type YItem,
  yItems,
} from './items.js'
import { inTasks, verify } from './tasks.js'

export interface PerTask {
  /** How many writes are made without a break. */
  readonly perTask: number
}

/** Milliseconds from the first write. */
export interface WriteTimes {
  /** Until the last one has been applied and whoever listens has heard of it. */
  readonly shown: number
  /** Until the last one is durable on the device. The same as `shown` where nothing is saved. */
  readonly saved: number
}

/** Enough for the compiler to have seen everything. */
const WARM_UP = 2_000

/** Changes one field of each of `count` entities, one operation each. */
export function updateItems(store: ItemStore, perTask: number, count = COUNT): Promise<WriteTimes> {
  return measureWrites(store, perTask, count, (index) =>
    // 7 and the count have no common divisor: every entity has its turn.
    store.items.update(idOf((index * 7) % count), (draft) => {
      draft.title = renamed(index)
    }),
  )
}

/** Adds `count` entities, one operation each. */
export function insertItems(store: ItemStore, perTask: number, count = COUNT): Promise<WriteTimes> {
  return measureWrites(store, perTask, count, (index) => insertItem(store, index))
}

async function measureWrites(
  store: ItemStore,
  perTask: number,
  count: number,
  write: (index: number) => OperationHandle,
): Promise<WriteTimes> {
  const query = store.items.query({
    where: (row) => row.rank >= count / 2,
    orderBy: ['rank'],
  })
  let rows = query.current
  const stopQuery = query.subscribe((next) => {
    rows = next
  })
  const before = store.status.current.pending
  let pending = before
  const stopStatus = store.status.subscribe((status) => {
    pending = status.pending
  })
  let last: OperationHandle | undefined
  const start = performance.now()
  await inTasks(count, perTask, (index) => {
    last = write(index)
  })
  const shown = performance.now() - start
  // Operations are saved in their order: after the last one there is none left.
  await last?.when('saved')
  const saved = performance.now() - start
  stopQuery()
  stopStatus()
  verify(pending - before === count, `the status told of ${pending - before} new operations`)
  verify(rows.length === count / 2, `the query told of ${rows.length} rows`)
  verify(rows.at(-1)?.$status === 'pending', 'the query did not see the writes')
  return { shown, saved }
}

/** The same on a document that has the entities. */
export function updateYItems(doc: Y.Doc, perTask: number, count = COUNT): Promise<WriteTimes> {
  return measureYWrites(doc, perTask, count, (items, index) =>
    items.get(idOf((index * 7) % count))?.set('title', renamed(index)),
  )
}

/** The same on an empty document. */
export function insertYItems(doc: Y.Doc, perTask: number, count = COUNT): Promise<WriteTimes> {
  return measureYWrites(doc, perTask, count, insertYItem)
}

async function measureYWrites(
  doc: Y.Doc,
  perTask: number,
  count: number,
  write: (items: Y.Map<YItem>, index: number) => void,
): Promise<WriteTimes> {
  const items = yItems(doc)
  let updates = 0
  doc.on('update', () => {
    updates += 1
  })
  const start = performance.now()
  await inTasks(count, perTask, (index) => write(items, index))
  const shown = performance.now() - start
  verify(updates === count && items.size === count, `Yjs made ${updates} updates`)
  return { shown, saved: shown }
}

/** Does a little of everything on a store that is thrown away. */
export async function warmUp(store: ItemStore): Promise<void> {
  await store.ready
  await insertItems(store, 100, WARM_UP)
  await updateItems(store, 100, WARM_UP)
  await store.destroy({ force: true })
}

export async function warmUpYjs(): Promise<void> {
  const doc = new Y.Doc()
  await insertYItems(doc, 100, WARM_UP)
  await updateYItems(doc, 100, WARM_UP)
}

function renamed(index: number): string {
  return `renamed ${index} to a longer title`
}
