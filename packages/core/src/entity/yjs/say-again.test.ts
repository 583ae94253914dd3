import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { captureUpdate, openDocument } from './document.js'
import { createItemTable, type ItemRun, type ItemTable, movedRun } from './say-again.js'
import type { ItemId } from './update.js'

const BASE = 1
const OWN = 2
const FRESH = 3

const id = (client: number, clock: number): ItemId => ({ client, clock })

const run = (from: ItemId, to: ItemId, length: number): ItemRun => ({ from, to, length })

/** What `change` adds to the document, as an edit. */
function edited(doc: Y.Doc, change: (doc: Y.Doc) => void): Uint8Array {
  const update = captureUpdate(doc, () => change(doc))
  if (update === undefined) throw new Error('no change')
  return update
}

/** An edit that deletes one range and says nothing else. */
const deletion = (client: number, clock: number, length: number): Uint8Array =>
  new Uint8Array([0, 1, client, 1, clock, length])

/** What an edit deletes once it is said again, as `client:clock+length`. */
function deletedAgain(items: ItemTable, edit: Uint8Array): string[] {
  const { update } = items.sayAgain(edit, id(FRESH, 0))
  if (update === null) return []
  return [...Y.decodeUpdate(update).ds.clients].flatMap(([client, ranges]) =>
    ranges.map(({ clock, len }) => `${client}:${clock}+${len}`),
  )
}

const bodyOf = (...updates: readonly Uint8Array[]): string =>
  openDocument(updates, 0).getText('body').toString()

const pageOf = (...updates: readonly Uint8Array[]): string => {
  const doc = openDocument(updates, 0)
  expect(doc.store.pendingStructs).toBeNull()
  return doc.getXmlFragment('page').toString()
}

const clocks = (...entries: readonly (readonly [number, number])[]) => new Map(entries)

function said(items: ItemTable, edit: Uint8Array, clock = 0): Uint8Array {
  const { update } = items.sayAgain(edit, id(FRESH, clock))
  if (update === null) throw new Error('nothing is left')
  return update
}

describe('where items went that were said again', () => {
  const doc = openDocument([], OWN)
  const first = edited(doc, () => doc.getText('body').insert(0, 'abc'))
  const second = edited(doc, () => {
    doc.getText('body').insert(3, 'de')
    doc.getText('body').insert(0, 'f')
  })
  const third = edited(doc, () => doc.getText('body').delete(0, 2))

  test('[L15] is one run for all that an edit wrote', () => {
    const again = createItemTable().sayAgain(second, id(FRESH, 7))
    expect(again.items).toBe(3)
    if (again.update === null) throw new Error('nothing is left')
    expect(movedRun(second, again.update)).toEqual(run(id(OWN, 3), id(FRESH, 7), 3))
  })

  test('is nothing for mere deletions', () => {
    expect(movedRun(third, first)).toBeUndefined()
    expect(movedRun(first, third)).toBeUndefined()
    expect(createItemTable().sayAgain(third, id(FRESH, 0)).items).toBe(0)
  })
})

describe('[L15] a deletion that is said again', () => {
  test('goes where the items went, one by one', () => {
    const items = createItemTable()
    items.move(run(id(BASE, 2), id(9, 10), 2))
    items.move(run(id(BASE, 5), id(9, 30), 3))
    expect(deletedAgain(items, deletion(BASE, 0, 7))).toEqual([
      '1:0+2',
      '1:4+1',
      '9:10+2',
      '9:30+2',
    ])
    expect(deletedAgain(items, deletion(BASE, 3, 2))).toEqual(['9:11+1', '1:4+1'])
    expect(deletedAgain(items, deletion(8, 0, 7))).toEqual(['8:0+7'])
  })

  test('leaves out what is gone, and is nothing when nothing else is left', () => {
    const doc = openDocument([], OWN)
    const gone = edited(doc, () => doc.getText('body').insert(0, 'abc'))
    const items = createItemTable()
    items.drop(gone)
    items.move(run(id(BASE, 0), id(9, 0), 1))
    expect(items.sayAgain(deletion(OWN, 0, 3), id(FRESH, 0))).toEqual({ update: null, items: 0 })
    expect(deletedAgain(items, deletion(OWN, 2, 3))).toEqual(['2:3+2'])
  })

  test('follows what moved on from where it had moved to', () => {
    const items = createItemTable()
    items.move(run(id(BASE, 0), id(5, 10), 4))
    items.move(run(id(4, 0), id(5, 20), 2))
    items.move(run(id(6, 0), id(7, 11), 2))
    items.move(run(id(10, 0), id(5, 13), 2))
    items.move(run(id(11, 0), id(5, 8), 1))
    items.move(run(id(5, 10), id(8, 0), 10))
    expect(deletedAgain(items, deletion(10, 0, 2))).toEqual(['8:3+2'])
    expect(deletedAgain(items, deletion(11, 0, 1))).toEqual(['5:8+1'])
    expect(deletedAgain(items, deletion(BASE, 1, 2))).toEqual(['8:1+2'])
    expect(deletedAgain(items, deletion(4, 0, 2))).toEqual(['5:20+2'])
    expect(deletedAgain(items, deletion(6, 0, 2))).toEqual(['7:11+2'])
    expect(deletedAgain(items, deletion(5, 12, 1))).toEqual(['8:2+1'])
    items.move(run(id(8, 1), id(9, 0), 1))
    expect(deletedAgain(items, deletion(8, 0, 2))).toEqual(['8:0+1', '9:0+1'])
  })
})

describe('[L15] an item that had several ids', () => {
  const moves = [run(id(2, 4), id(3, 0), 2), run(id(3, 1), id(4, 7), 3)]
  const table = (...known: readonly (readonly [number, number])[]): ItemTable =>
    createItemTable({ updates: [], clocks: clocks(...known), moves })

  test('is found under the one that was accepted: a later one', () => {
    expect(deletedAgain(table([3, 2]), deletion(2, 4, 1))).toEqual(['3:0+1'])
    expect(deletedAgain(table([4, 8]), deletion(2, 5, 1))).toEqual(['4:7+1'])
  })

  test('is found under the one that was accepted: an earlier one', () => {
    expect(deletedAgain(table([2, 6]), deletion(3, 0, 1))).toEqual(['2:4+1'])
    expect(deletedAgain(table([2, 6]), deletion(4, 7, 1))).toEqual(['2:5+1'])
    expect(deletedAgain(table([3, 4]), deletion(4, 9, 1))).toEqual(['3:3+1'])
  })

  test('is found where it was said again, when it was under the accepted one', () => {
    const items = table()
    items.move(run(id(3, 0), id(9, 5), 1))
    expect(deletedAgain(items, deletion(2, 4, 1))).toEqual(['9:5+1'])
  })

  test('stays where it is when it stands there, or nobody knows better', () => {
    expect(deletedAgain(table([2, 6], [3, 9]), deletion(2, 4, 1))).toEqual(['2:4+1'])
    expect(deletedAgain(table(), deletion(2, 4, 1))).toEqual(['2:4+1'])
    // One before and one behind the run.
    expect(deletedAgain(table([3, 9], [4, 9]), deletion(2, 3, 1))).toEqual(['2:3+1'])
    expect(deletedAgain(table([3, 9], [4, 9]), deletion(2, 6, 1))).toEqual(['2:6+1'])
    expect(deletedAgain(table([2, 9]), deletion(3, 2, 1))).toEqual(['3:2+1'])
    expect(deletedAgain(table([3, 9]), deletion(4, 10, 1))).toEqual(['4:10+1'])
    expect(deletedAgain(table([3, 9]), deletion(4, 6, 1))).toEqual(['4:6+1'])
  })
})

describe('[L15] text beside what is gone', () => {
  /** A base, an edit that goes, and one that was made around it; what the last one says again shows. */
  function without(
    base: string,
    gone: (text: Y.Text) => void,
    later: (text: Y.Text) => void,
  ): string {
    const doc = openDocument([], BASE)
    const start = edited(doc, () => doc.getText('body').insert(0, base))
    const own = openDocument([start], OWN)
    const dropped = edited(own, () => gone(own.getText('body')))
    const kept = edited(own, () => later(own.getText('body')))
    const items = createItemTable({
      updates: [start, dropped, kept],
      clocks: clocks([BASE, base.length]),
      moves: [],
    })
    items.drop(dropped)
    return bodyOf(start, said(items, kept))
  }

  test.for<[string, (text: Y.Text) => void, (text: Y.Text) => void, string]>([
    ['behind it', (t) => t.insert(2, 'XYZ'), (t) => t.insert(5, '!'), 'ab!cd'],
    ['before it', (t) => t.insert(2, 'XYZ'), (t) => t.insert(2, '!'), 'ab!cd'],
    ['within it', (t) => t.insert(2, 'XYZ'), (t) => t.insert(3, '!'), 'ab!cd'],
    ['behind it at the end', (t) => t.insert(4, 'XYZ'), (t) => t.insert(7, '!'), 'abcd!'],
    ['before it at the start', (t) => t.insert(0, 'XYZ'), (t) => t.insert(0, '!'), '!abcd'],
    [
      'between two of it',
      (t) => {
        t.insert(2, 'XYZ')
        t.insert(3, 'UV')
      },
      (t) => t.insert(4, '!'),
      'ab!cd',
    ],
    [
      'within what stands between',
      (t) => {
        t.insert(1, 'X')
        t.insert(4, 'Y')
      },
      (t) => {
        t.insert(2, '!')
        t.insert(5, '?')
      },
      'a!bc?d',
    ],
  ])('stays in its place: %s', ([, gone, later, shown]) => {
    expect(without('abcd', gone, later)).toBe(shown)
  })

  test('has the first character behind that on its right', () => {
    const start = edited(openDocument([], BASE), (doc) => doc.getText('body').insert(0, 'abcd'))
    const own = openDocument([start], OWN)
    const gone = edited(own, () => own.getText('body').insert(2, 'XY'))
    const kept = edited(own, () => own.getText('body').insert(2, '!'))
    const items = createItemTable({
      updates: [start, gone, kept],
      clocks: clocks([BASE, 4]),
      moves: [],
    })
    items.drop(gone)
    const [struct] = Y.decodeUpdate(said(items, kept)).structs
    if (!(struct instanceof Y.Item)) throw new Error('one item')
    expect([struct.origin, struct.rightOrigin]).toEqual([id(BASE, 1), id(BASE, 2)])
  })

  test('has on its right what was typed on behind that, also in one go', () => {
    const doc = openDocument([], OWN)
    const text = doc.getText('body')
    const gone = edited(doc, () => text.insert(0, 'ab'))
    const after = edited(doc, () => text.insert(2, 'cd'))
    const kept = edited(doc, () => text.insert(0, '!'))
    const items = createItemTable({ updates: [gone, after, kept], clocks: clocks(), moves: [] })
    items.drop(gone)
    said(items, after)
    const [struct] = Y.decodeUpdate(said(items, kept, 2)).structs
    expect(struct instanceof Y.Item && struct.rightOrigin).toEqual(id(FRESH, 0))
  })

  test('stays beside its only neighbour, of which nobody knows where it stands', () => {
    const doc = openDocument([], OWN)
    const word = edited(doc, () => doc.getText('body').insert(0, 'abc'))
    const behind = edited(doc, () => doc.getText('body').insert(3, '!'))
    const before = edited(doc, () => doc.getText('body').insert(0, '?'))
    const items = createItemTable()
    expect(bodyOf(word, said(items, behind), said(items, before, 1))).toBe('?abc!')
  })

  test('stays in its root when the former document is not there, by what it was written beside', () => {
    const doc = openDocument([], OWN)
    const gone = edited(doc, () => doc.getText('body').insert(0, 'abc'))
    const kept = edited(doc, () => doc.getText('body').insert(1, 'xy'))
    const items = createItemTable()
    items.drop(gone)
    expect(bodyOf(said(items, kept))).toBe('xy')
  })

  test('is forgotten where nobody knows what it was written beside, its clocks are not', () => {
    const doc = openDocument([], OWN)
    const unknown = edited(doc, () => doc.getText('body').insert(0, 'abc'))
    const gone = edited(doc, () => doc.getText('body').insert(1, 'xy'))
    const kept = edited(doc, () => doc.getText('body').insert(2, 'z'))
    const items = createItemTable()
    items.drop(unknown)
    items.drop(gone)
    expect(bodyOf(said(items, kept))).toBe('z')
    const without = createItemTable()
    without.drop(gone)
    const { update, items: length } = without.sayAgain(kept, id(FRESH, 0))
    expect(length).toBe(1)
    const { structs } = Y.decodeUpdate(update ?? new Uint8Array([0, 0]))
    expect(structs.map((struct) => [struct instanceof Y.GC, struct.length])).toEqual([[true, 1]])
  })

  test('stays alone in its root, when nothing else is left there', () => {
    const doc = openDocument([], OWN)
    const gone = edited(doc, () => doc.getText('body').insert(0, 'abc'))
    const kept = edited(doc, () => doc.getText('body').insert(1, 'xy'))
    const items = createItemTable({ updates: [gone, kept], clocks: clocks(), moves: [] })
    items.drop(gone)
    expect(bodyOf(said(items, kept))).toBe('xy')
  })
})

describe('[L15] XML that is said again', () => {
  function page() {
    const doc = openDocument([], OWN)
    const root = doc.getXmlFragment('page')
    const first = edited(doc, () => root.insert(0, [new Y.XmlElement('p')]))
    const element = root.get(0)
    if (!(element instanceof Y.XmlElement)) throw new Error('no element')
    return { doc, root, first, element }
  }

  test('keeps what is in elements, and their attributes', () => {
    const { doc, first, element } = page()
    const attribute = edited(doc, () => element.setAttribute('class', 'a'))
    const changed = edited(doc, () => element.setAttribute('class', 'b'))
    const inside = edited(doc, () => element.insert(0, [new Y.XmlText('Hello')]))
    const items = createItemTable({
      updates: [first, attribute, changed, inside],
      clocks: clocks(),
      moves: [],
    })
    let clock = 0
    const updates = [first, attribute, changed, inside].map((edit) => {
      const { update, items: length } = items.sayAgain(edit, id(FRESH, clock))
      clock += length
      if (update === null) throw new Error('nothing is left')
      return update
    })
    expect(pageOf(...updates)).toBe('<p class="b">Hello</p>')
  })

  test('keeps an attribute whose former value is gone', () => {
    const { doc, first, element } = page()
    const gone = edited(doc, () => element.setAttribute('class', 'a'))
    const kept = edited(doc, () => element.setAttribute('class', 'b'))
    const items = createItemTable({
      updates: [first, gone, kept],
      clocks: clocks([OWN, 1]),
      moves: [],
    })
    items.drop(gone)
    expect(items.breaks(kept)).toBe(false)
    expect(pageOf(first, said(items, kept))).toBe('<p class="b"></p>')
  })

  test('keeps the clocks of what it put in and took out again', () => {
    const { doc, root, first } = page()
    const vanishing = edited(doc, () => {
      const element = new Y.XmlElement('q')
      root.insert(1, [element])
      element.insert(0, [new Y.XmlText('gone')])
      root.delete(1, 1)
      root.insert(1, [new Y.XmlElement('r')])
    })
    expect(Y.decodeUpdate(vanishing).structs.some((struct) => struct instanceof Y.GC)).toBe(true)
    const items = createItemTable({ updates: [first], clocks: clocks([OWN, 1]), moves: [] })
    expect(items.breaks(vanishing)).toBe(false)
    expect(pageOf(first, said(items, vanishing))).toBe('<p></p><r></r>')
  })

  test('can not stand in an element that is gone, beside it it can', () => {
    const { doc, root, first, element } = page()
    const inside = edited(doc, () => element.insert(0, [new Y.XmlText('Hello')]))
    const beside = edited(doc, () => root.insert(1, [new Y.XmlElement('q')]))
    const items = createItemTable()
    expect(items.breaks(inside)).toBe(false)
    items.drop(first)
    expect(items.breaks(inside)).toBe(true)
    expect(items.breaks(beside)).toBe(false)
    expect(items.breaks(deletion(OWN, 0, 1))).toBe(false)
  })
})

describe('[L15] text can not stand without what is gone', () => {
  function bold() {
    const doc = openDocument([], BASE)
    const start = edited(doc, () => doc.getText('body').insert(0, 'abcd'))
    const own = openDocument([start], OWN)
    const text = own.getText('body')
    return { own, text, start }
  }

  test('where it was typed into the middle of that, and only there', () => {
    const { own, text } = bold()
    const gone = edited(own, () => text.insert(2, 'XY'))
    const before = edited(own, () => text.insert(2, '1'))
    const behind = edited(own, () => text.insert(5, '2'))
    const middle = edited(own, () => text.insert(4, '3'))
    const items = createItemTable()
    items.drop(gone)
    expect([before, behind, middle].map((edit) => items.breaks(edit))).toEqual([false, false, true])
    const moved = createItemTable()
    moved.move(run(id(OWN, 0), id(FRESH, 0), 2))
    expect(moved.breaks(middle)).toBe(false)
  })

  test('but without its formats it can', () => {
    const { own, text } = bold()
    const gone = edited(own, () => text.format(1, 1, { bold: true }))
    const within = edited(own, () => text.insert(2, 'x', { bold: true }))
    const items = createItemTable()
    items.drop(gone)
    expect(items.breaks(within)).toBe(false)
  })
})

describe('[L15] an edit that follows what was said again', () => {
  test('stays beside it, under its own ids', () => {
    const doc = openDocument([], OWN)
    doc.getText('body').insert(0, 'abc')
    const parked = edited(doc, () => {
      doc.getText('body').insert(1, 'xy')
      doc.getText('body').delete(3, 1)
    })
    const items = createItemTable()
    items.move(run(id(OWN, 0), id(FRESH, 5), 3))
    const { structs, ds } = Y.decodeUpdate(items.follow(parked))
    const [struct] = structs
    if (!(struct instanceof Y.Item)) throw new Error('one item')
    expect([struct.id, struct.origin, struct.rightOrigin]).toEqual([
      id(OWN, 3),
      id(FRESH, 5),
      id(FRESH, 6),
    ])
    expect([...ds.clients].map(([client, [range]]) => [client, range?.clock, range?.len])).toEqual([
      [FRESH, 6, 1],
    ])
  })

  test('may be a mere deletion', () => {
    const items = createItemTable()
    items.move(run(id(OWN, 0), id(FRESH, 5), 3))
    expect(items.follow(deletion(OWN, 1, 1))).toEqual(deletion(FRESH, 6, 1))
  })
})
