import * as Y from 'yjs'
import { idOf, insertYItem, yItems } from '../items.js'
import type { Writer } from './dialect.js'
import { titleWith } from './marks.js'

/** Writes to nested maps of one document; `wrap` makes a message of an update. */
export function yjsWriter(
  user: string,
  entities: number,
  wrap: (update: Uint8Array) => Uint8Array,
): Writer {
  const doc = new Y.Doc()
  const items = yItems(doc)
  // Everybody has entities of their own: what one writes never hides what another wrote.
  doc.transact(() => {
    for (let index = 0; index < entities; index++) insertYItem(items, index, `${user}-`)
  })
  const base = [wrap(Y.encodeStateAsUpdate(doc))]
  let update: Uint8Array = new Uint8Array()
  doc.on('update', (made: Uint8Array) => {
    update = made
  })
  let writes = 0
  return {
    base,
    next(mark) {
      items.get(`${user}-${idOf(writes % entities)}`)?.set('title', titleWith(mark))
      writes += 1
      return wrap(update)
    },
  }
}

/** The titles of what all updates together make. */
export function titlesOf(updates: readonly Uint8Array[]): ReadonlyMap<string, string> {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return new Map([...yItems(doc)].map(([id, item]) => [id, String(item.get('title'))]))
}
