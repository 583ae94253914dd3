import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { nestingOf } from './nesting.js'

const SEED = 20261121

/** The deepest type of a document, found by walking it. */
function walk(doc: Y.Doc): number {
  let deepest = 0
  const waiting: { readonly type: Y.ContentType['type']; readonly depth: number }[] = []
  for (const type of doc.share.values()) waiting.push({ type, depth: 0 })
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { type, depth } = next
    deepest = Math.max(deepest, depth)
    const items: (Y.Item | null)[] = [...type._map.values()]
    for (let item = type._start; item !== null; item = item.right) items.push(item)
    for (const item of items) {
      if (item?.content instanceof Y.ContentType)
        waiting.push({ type: item.content.type, depth: depth + 1 })
    }
  }
  return deepest
}

type Fragment = Y.XmlFragment | Y.XmlElement

/** All places of a document where an element may go. */
function fragments(doc: Y.Doc): Fragment[] {
  const all: Fragment[] = [doc.getXmlFragment('body')]
  for (const fragment of all) {
    for (const child of fragment.toArray()) if (child instanceof Y.XmlElement) all.push(child)
  }
  return all
}

const step = fc.record({
  who: fc.nat(2),
  what: fc.constantFrom(
    'element',
    'element',
    'element',
    'element',
    'element',
    'text',
    'remove',
    'merge',
  ),
  where: fc.nat(1000),
  place: fc.nat(1000),
})

describe('the nesting of types', () => {
  test('is what a walk through the document finds, and a bound when only the update is read', () => {
    let deepestOfAll = 0
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
        const docs = [0, 1, 2].map((client) => {
          const doc = new Y.Doc()
          doc.clientID = client + 1
          return doc
        })
        for (const { who, what, where, place } of steps) {
          const doc = docs[who] as Y.Doc
          const places = fragments(doc)
          // Mostly the last one: deep trees.
          const target = places[
            where % 7 === 0 ? where % places.length : places.length - 1
          ] as Fragment
          const before = walk(doc)
          const updates: Uint8Array[] = []
          const collect = (update: Uint8Array): unknown => updates.push(update)
          doc.on('update', collect)
          const at = place % (target.length + 1)
          if (what === 'merge') {
            for (const other of docs) Y.applyUpdate(doc, Y.encodeStateAsUpdate(other))
          } else if (what === 'remove') {
            if (target.length > 0) target.delete(place % target.length, 1)
          } else {
            target.insert(at, [what === 'text' ? new Y.XmlText('a') : new Y.XmlElement('p')])
          }
          doc.off('update', collect)
          const after = walk(doc)
          expect(nestingOf(Y.encodeStateAsUpdate(doc), 0)).toBe(after)
          if (what === 'merge') continue
          for (const update of updates)
            expect(Math.max(before, nestingOf(update, before))).toBeGreaterThanOrEqual(after)
          deepestOfAll = Math.max(deepestOfAll, after)
        }
      }),
      { seed: SEED, numRuns: 100 },
    )
    expect(deepestOfAll).toBeGreaterThan(8)
  })

  test('of thousands of levels is found without walking into them', () => {
    const doc = new Y.Doc()
    let inner: Fragment = doc.getXmlFragment('body')
    doc.transact(() => {
      for (let level = 0; level < 20_000; level++) {
        const element = new Y.XmlElement('p')
        inner.insert(0, [element])
        inner = element
      }
    })
    expect(nestingOf(Y.encodeStateAsUpdate(doc), 0)).toBe(20_000)
  })

  test('is nothing for registers and text', () => {
    const doc = new Y.Doc()
    doc.getText('notes').insert(0, 'Hello')
    doc.getArray('f:1').push([1])
    expect(nestingOf(Y.encodeStateAsUpdate(doc), 7)).toBe(0)
  })

  test('of what is no update at all is an error that says so', () => {
    expect(() => nestingOf(Uint8Array.of(1, 2), 0)).toThrow(
      expect.objectContaining({ code: 'corrupt' }),
    )
  })
})
