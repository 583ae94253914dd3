import * as Y from 'yjs'
import { openDocument } from './document.js'
import { readable } from './readable.js'
import { deleteItems } from './take-back.js'
import type { ItemId } from './update.js'

export interface ErasedItems {
  /** The document without the content of what was erased, in the same items: what stands beside them stays where it is. */
  readonly update: Uint8Array
  /** Roots in which something of others stands inside of what should go; it was left there. */
  readonly entangled: readonly string[]
}

/**
 * Deletes items for good: Yjs keeps their ids and their lengths, and drops what they held.
 *
 * @param isErased whether a value at an item goes; undefined stands for what is no value: text, format, elements
 */
export function eraseItems(
  bytes: Uint8Array,
  isErased: (root: string, item: ItemId, value: unknown) => boolean,
): ErasedItems {
  return readable(() => {
    const doc = openDocument([bytes], 0)
    const entangled: string[] = []
    doc.transact((transaction) => {
      for (const [root, type] of doc.share) {
        const erased = runsIn(root, type, isErased)
        if (erased === undefined) entangled.push(root)
        for (const { item, length } of erased ?? []) deleteItems(transaction, item, length)
      }
    })
    const update = Y.encodeStateAsUpdate(doc)
    doc.destroy()
    return { update, entangled }
  })
}

interface Run {
  readonly item: ItemId
  readonly length: number
}

type Test = (root: string, item: ItemId, value: unknown) => boolean
type Parent = Pick<Y.AbstractType<unknown>, '_start' | '_map'>

/** What goes of a type and of what is in it; undefined when something that stays would go with it. */
function runsIn(root: string, parent: Parent, isErased: Test): Run[] | undefined {
  const runs: Run[] = []
  for (const item of itemsOf(parent)) {
    const { client, clock } = item.id
    const { content } = item
    if (content instanceof Y.ContentAny) {
      for (const [offset, value] of content.arr.entries()) {
        const id = { client, clock: clock + offset }
        if (isErased(root, id, value)) runs.push({ item: id, length: 1 })
      }
      continue
    }
    const goes = isErased(root, item.id, undefined)
    if (content instanceof Y.ContentType) {
      const inside = runsIn(root, content.type, isErased)
      if (inside === undefined) return undefined
      if (goes && lengthOf(inside) < liveLength(content.type)) return undefined
      runs.push(...inside)
    }
    if (goes) runs.push({ item: { client, clock }, length: item.length })
  }
  return runs
}

function* itemsOf({ _start, _map }: Parent): Generator<Y.Item> {
  for (let item = _start; item !== null; item = item.right) if (!item.deleted) yield item
  for (const item of _map.values()) if (!item.deleted) yield item
}

function lengthOf(runs: readonly Run[]): number {
  return runs.reduce((sum, { length }) => sum + length, 0)
}

/** Everything that is still there, at any depth. */
function liveLength(parent: Parent): number {
  let length = 0
  for (const item of itemsOf(parent)) {
    length += item.length
    if (item.content instanceof Y.ContentType) length += liveLength(item.content.type)
  }
  return length
}
