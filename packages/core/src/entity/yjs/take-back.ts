import * as Y from 'yjs'
import { openDocument } from './document.js'
import type { ItemRun } from './say-again.js'
import type { ItemId } from './update.js'

/**
 * Takes back in `doc` what an edit did to text and lists: what it put in goes, what it took out comes back where it was; what
 * others have done since stays. `before` is what the edit was made on: the document itself has forgotten what was deleted.
 * `moves` tell under which other ids the items may stand; what is put back comes under new ones, which are returned. XML elements that were taken out stay out: an editor's own undo knows those.
 */
export function takeBack(
  doc: Y.Doc,
  edit: Uint8Array,
  before: readonly Uint8Array[],
  moves: readonly ItemRun[] = [],
): ItemRun[] {
  const { structs, ds } = Y.decodeUpdate(edit)
  const again: ItemRun[] = []
  doc.transact((transaction) => {
    for (const { id, length } of structs) {
      for (const run of runsOf({ client: id.client, clock: id.clock, length }, moves))
        deleteItems(transaction, run, run.length)
    }
    if (ds.clients.size === 0) return
    const former = openDocument(before, 0)
    for (const { _start } of former.share.values()) {
      for (let item = _start; item !== null; item = item.right) {
        if (item.deleted) continue
        for (const { clock, len } of ds.clients.get(item.id.client) ?? []) {
          const start = Math.max(clock, item.id.clock)
          again.push(...putBack(transaction, item, start, clock + len, moves))
        }
      }
    }
    former.destroy()
  })
  return again
}

interface Run extends ItemId {
  readonly length: number
}

/** The items, and everything that was said or put back in their place since. */
function runsOf(first: Run, moves: readonly ItemRun[]): Run[] {
  const runs = [first]
  for (const { from, to, length } of moves) {
    for (const { client, clock, length: own } of [...runs]) {
      const start = Math.max(clock, from.clock)
      const end = Math.min(clock + own, from.clock + length)
      if (client === from.client && start < end)
        runs.push({ client: to.client, clock: to.clock + start - from.clock, length: end - start })
    }
  }
  return runs
}

/** Deletes what is left of `length` clocks from `id` on. */
export function deleteItems(transaction: Y.Transaction, id: ItemId, length: number): void {
  const { store } = transaction.doc
  const end = Math.min(id.clock + length, Y.getState(store, id.client))
  for (let clock = id.clock; clock < end; ) {
    const struct = Y.getItem(store, Y.createID(id.client, clock))
    if (struct instanceof Y.Item && !struct.deleted) {
      const item = Y.getItemCleanStart(transaction, Y.createID(id.client, clock))
      if (item.id.clock + item.length > end)
        Y.getItemCleanEnd(transaction, store, Y.createID(id.client, end - 1))
      item.delete(transaction)
      clock = item.id.clock + item.length
    } else {
      clock = struct.id.clock + struct.length
    }
  }
}

/** Puts the clocks from `start` to `end` of a former item back, right behind what is left of them. */
function putBack(
  transaction: Y.Transaction,
  item: Y.Item,
  start: number,
  end: number,
  moves: readonly ItemRun[],
): ItemRun[] {
  const { doc } = transaction
  const { client, clock } = item.id
  const length = Math.min(end, clock + item.length) - start
  const content = length > 0 ? contentOf(item, start - clock, start - clock + length) : undefined
  if (content === undefined) return []
  // The document knows it by the last of its ids that was accepted.
  const place = runsOf({ client, clock: start, length }, moves)
    .filter((run) => run.length === length)
    .findLast((run) => Y.getState(doc.store, run.client) >= run.clock + length)
  if (place === undefined) return []
  const last = Y.createID(place.client, place.clock + length - 1)
  const left = Y.getItemCleanEnd(transaction, doc.store, last)
  if (!(left instanceof Y.Item)) return []
  const id = Y.createID(doc.clientID, Y.getState(doc.store, doc.clientID))
  const { right, parent } = left
  const put = new Y.Item(id, left, left.lastId, right, right?.id ?? null, parent, null, content)
  put.integrate(transaction, 0)
  return [{ from: { client, clock: start }, to: { client: id.client, clock: id.clock }, length }]
}

function contentOf({ content }: Y.Item, from: number, to: number): Y.Item['content'] | undefined {
  if (content instanceof Y.ContentString) return new Y.ContentString(content.str.slice(from, to))
  if (content instanceof Y.ContentAny) return new Y.ContentAny(content.arr.slice(from, to))
  if (content instanceof Y.ContentEmbed || content instanceof Y.ContentFormat) return content.copy()
  return undefined
}
