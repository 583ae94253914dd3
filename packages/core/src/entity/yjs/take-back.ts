import * as Y from 'yjs'
import { openDocument } from './document.js'
import type { ItemId } from './update.js'

/**
 * Takes back in `doc` what an edit did to text and lists: what it put in goes, what it took out comes back where it was; what
 * others have done since stays. `before` is what the edit was made on: the document itself has forgotten what was deleted.
 * XML elements that were taken out stay out: an editor's own undo knows those.
 */
export function takeBack(doc: Y.Doc, edit: Uint8Array, before: readonly Uint8Array[]): void {
  const { structs, ds } = Y.decodeUpdate(edit)
  doc.transact((transaction) => {
    for (const { id, length } of structs) deleteItems(transaction, id, length)
    if (ds.clients.size === 0) return
    const former = openDocument(before, 0)
    for (const { _start } of former.share.values()) {
      for (let item = _start; item !== null; item = item.right) {
        if (item.deleted) continue
        for (const { clock, len } of ds.clients.get(item.id.client) ?? [])
          putBack(transaction, item, Math.max(clock, item.id.clock), clock + len)
      }
    }
    former.destroy()
  })
}

function deleteItems(transaction: Y.Transaction, id: ItemId, length: number): void {
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
function putBack(transaction: Y.Transaction, item: Y.Item, start: number, end: number): void {
  const { doc } = transaction
  const { client, clock } = item.id
  const until = Math.min(end, clock + item.length)
  const content = start < until ? contentOf(item, start - clock, until - clock) : undefined
  if (content === undefined || Y.getState(doc.store, client) < until) return
  const left = Y.getItemCleanEnd(transaction, doc.store, Y.createID(client, until - 1))
  if (!(left instanceof Y.Item)) return
  const id = Y.createID(doc.clientID, Y.getState(doc.store, doc.clientID))
  const { right, parent } = left
  const again = new Y.Item(id, left, left.lastId, right, right?.id ?? null, parent, null, content)
  again.integrate(transaction, 0)
}

function contentOf({ content }: Y.Item, from: number, to: number): Y.Item['content'] | undefined {
  if (content instanceof Y.ContentString) return new Y.ContentString(content.str.slice(from, to))
  if (content instanceof Y.ContentAny) return new Y.ContentAny(content.arr.slice(from, to))
  if (content instanceof Y.ContentEmbed || content instanceof Y.ContentFormat) return content.copy()
  return undefined
}
