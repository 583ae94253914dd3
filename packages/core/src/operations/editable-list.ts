import type * as Y from 'yjs'
import { distinct, firstOfEach, type ListField } from '../schema/index.js'
import type { EntityDraft } from './entity-draft.js'
import { parsed } from './field-values.js'
import { unfit } from './refusals.js'

/** A list inside of `update`. Indexes are those of what is shown. */
export function editableList(draft: EntityDraft, name: string, field: ListField): object {
  const path = [draft.ref.collection, name]
  const array = (): Y.Array<unknown> => draft.document().doc.getArray<unknown>(name)
  const shown = (): readonly unknown[] => distinct(field, array().toArray())

  /** The array without the elements that don't show, which a change may as well take away. */
  function tidied(): Y.Array<unknown> {
    const all = array()
    const elements = all.toArray()
    const kept = new Set(firstOfEach(field, elements))
    // Backwards: what is deleted moves what comes after it.
    for (let index = elements.length - 1; index >= 0; index--)
      if (!kept.has(index)) all.delete(index)
    return all
  }

  function place(index: unknown, end: number): number {
    if (typeof index === 'number' && Number.isInteger(index) && index >= 0 && index <= end)
      return index
    throw unfit(path, `has no place ${String(index)}: it has ${shown().length} elements.`)
  }

  function insert(at: number, elements: readonly unknown[]): void {
    const all = tidied()
    let index = place(at, all.length)
    const added = elements.map((element) => parsed(field, element, path))
    const { identity } = field
    if (identity !== undefined) {
      // What is there already moves to its new place.
      const again = new Set(added.map(identity))
      for (let old = all.length - 1; old >= 0; old--) {
        if (!again.has(identity(all.get(old)))) continue
        all.delete(old)
        if (old < index) index -= 1
      }
    }
    all.insert(index, [...distinct(field, added)])
  }

  return {
    get length() {
      return shown().length
    },
    at: (index: number) => shown().at(index),
    insert: (index: number, ...elements: readonly unknown[]) => insert(index, elements),
    push: (...elements: readonly unknown[]) => insert(shown().length, elements),
    delete(index: number, count = 1) {
      const all = tidied()
      const first = place(index, all.length)
      all.delete(first, place(first + count, all.length) - first)
    },
    move(from: number, to: number) {
      const all = tidied()
      const last = all.length - 1
      const source = place(from, last)
      const target = place(to, last)
      const element: unknown = all.get(source)
      all.delete(source)
      all.insert(target, [element])
    },
    [Symbol.iterator]: () => shown()[Symbol.iterator](),
  }
}
