import * as Y from 'yjs'
import { openDocument } from './document.js'
import type { ItemId } from './update.js'

/**
 * Takes back in `doc` what an edit did to text and lists: what it put in goes, what it took out comes back where it was; what
 * others have done since stays. `before` is what the edit was made on: the document itself has forgotten what was deleted.
 * Elements and formats that were taken out stay out: an editor's own undo knows those.
 */
export function takeBack(doc: Y.Doc, edit: Uint8Array, before: readonly Uint8Array[]): void {
  const { structs, ds } = Y.decodeUpdate(edit)
  doc.transact((transaction) => {
    for (const { id, length } of structs) deleteItems(transaction, id, length)
    if (ds.clients.size === 0) return
    const former = openDocument(before, 0)
    for (const [root, type] of former.share) {
      // From the end: what is put back stands before everything that came after it.
      for (let item = lastOf(type); item !== null; item = item.left) {
        if (item.deleted) continue
        for (const { clock, len } of [...(ds.clients.get(item.id.client) ?? [])].reverse())
          putBack(doc, root, item, Math.max(clock, item.id.clock), clock + len)
      }
    }
    former.destroy()
  })
}

function lastOf({ _start }: Pick<Y.Text, '_start'>): Y.Item | null {
  let last = _start
  while (last?.right) last = last.right
  return last
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

/** Puts the clocks from `start` to `end` of a former item back after what is left of them. */
function putBack(doc: Y.Doc, root: string, item: Y.Item, start: number, end: number): void {
  const from = start - item.id.clock
  const to = Math.min(end - item.id.clock, item.length)
  if (from >= to) return
  const { content } = item
  if (content instanceof Y.ContentString) {
    const text = doc.getText(root)
    const index = indexOf(text, { client: item.id.client, clock: start })
    if (index !== undefined) text.insert(index, content.str.slice(from, to))
  } else if (content instanceof Y.ContentAny) {
    const list = doc.getArray(root)
    const index = indexOf(list, { client: item.id.client, clock: start })
    if (index !== undefined) list.insert(index, content.arr.slice(from, to))
  }
}

/** How many elements stand before an item, deleted or not; undefined where it isn't known. */
function indexOf({ _start }: Pick<Y.Text, '_start'>, id: ItemId): number | undefined {
  let index = 0
  for (let item = _start; item !== null; item = item.right) {
    const offset = id.clock - item.id.clock
    const isHere = item.id.client === id.client && offset >= 0 && offset < item.length
    if (isHere) return item.deleted ? index : index + offset
    if (!item.deleted && item.countable) index += item.length
  }
  return undefined
}
