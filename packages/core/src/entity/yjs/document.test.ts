import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import {
  applyUpdates,
  captureUpdate,
  clockOf,
  containsUpdate,
  openDocument,
  readShared,
} from './document.js'

const OWN = 7
const OTHER = 8

/** What `change` does to a new document of `client`. */
function updateOf(client: number, change: (doc: Y.Doc) => void): Uint8Array {
  const doc = new Y.Doc()
  doc.clientID = client
  change(doc)
  return Y.encodeStateAsUpdate(doc)
}

const typed = (client: number, text: string): Uint8Array =>
  updateOf(client, (doc) => doc.getText('body').insert(0, text))

describe('a document that is opened', () => {
  test('is written to under the id that was asked for, also when that id wrote before', () => {
    const doc = openDocument([typed(OWN, 'abc'), typed(OTHER, 'd')], OWN)
    expect(doc.clientID).toBe(OWN)
    expect(doc.guid).toBe('')
    expect(clockOf(doc, OWN)).toBe(3)
    expect(clockOf(doc, OTHER)).toBe(1)
    expect(clockOf(doc, 99)).toBe(0)
    doc.getText('body').insert(0, 'x')
    expect(clockOf(doc, OWN)).toBe(4)
  })

  test('takes in updates in one transaction, in the name of who brings them', () => {
    const doc = openDocument([], OWN)
    const origins: unknown[] = []
    doc.on('update', (_update: Uint8Array, origin: unknown) => origins.push(origin))
    applyUpdates(doc, [typed(OWN, 'abc'), typed(OTHER, 'd')], OWN, 'relay')
    expect(origins).toEqual(['relay'])
    expect(doc.clientID).toBe(OWN)
  })

  test('keeps its id when what it takes in is broken', () => {
    const doc = openDocument([], OWN)
    expect(() => applyUpdates(doc, [new Uint8Array([1, 2])], OWN)).toThrow()
    expect(doc.clientID).toBe(OWN)
  })
})

describe('a change', () => {
  test('that changes nothing makes no update', () => {
    expect(captureUpdate(openDocument([], OWN), () => undefined)).toBeUndefined()
  })

  test('makes one update, of which nothing later is part', () => {
    const doc = openDocument([], OWN)
    const update = captureUpdate(doc, () => {
      doc.getText('body').insert(0, 'a')
      doc.getText('body').insert(1, 'b')
    })
    doc.getText('body').insert(2, 'c')
    if (update === undefined) throw new Error('no update')
    expect(openDocument([update], OTHER).getText('body').toString()).toBe('ab')
    expect(doc._observers.get('update')?.size ?? 0).toBe(0)
  })

  test('comes with what others do because of it', () => {
    const before = typed(OTHER, 'xyz')
    const doc = openDocument([before], OWN)
    doc.once('afterTransaction', () => doc.transact(() => doc.getText('body').delete(1, 3)))
    const update = captureUpdate(doc, () => doc.getText('body').insert(0, 'a'))
    if (update === undefined) throw new Error('no update')
    expect(openDocument([before, update], OTHER).getText('body').toString()).toBe('a')
  })

  test('that fails is no longer listened to', () => {
    const doc = openDocument([], OWN)
    const fail = (): void => {
      throw new Error('broken')
    }
    expect(() => captureUpdate(doc, fail)).toThrow('broken')
    expect(doc._observers.get('update')?.size ?? 0).toBe(0)
  })
})

describe('what the root types of a document show', () => {
  const shownBy = (change: (doc: Y.Doc) => void, isShared = (_root: string): boolean => true) =>
    readShared(openDocument([updateOf(OWN, change)], OTHER), isShared)

  test('is undefined where nothing is, or nothing is left', () => {
    expect(shownBy(() => undefined)).toBeUndefined()
    expect(
      shownBy((doc) => {
        doc.getText('body').insert(0, 'abc')
        doc.getText('body').delete(0, 3)
      }),
    ).toBeUndefined()
  })

  test('is by name, without those that are no fields', () => {
    const change = (doc: Y.Doc): void => {
      doc.getText('body').insert(0, 'abc')
      doc.getText('other').insert(0, 'x')
      doc.getArray('f:7').push([1])
    }
    expect(shownBy(change, (root) => root !== 'f:7')).toEqual({ body: 'abc', other: 'x' })
    expect(shownBy(change, () => false)).toBeUndefined()
  })

  test('is the characters of a text, without what was deleted, formats and embeds', () => {
    expect(
      shownBy((doc) => {
        const text = doc.getText('body')
        text.insert(0, 'abcd')
        text.format(1, 2, { bold: true })
        text.insertEmbed(2, { image: 'x' })
        text.delete(0, 1)
      }),
    ).toEqual({ body: 'bcd' })
    expect(
      shownBy((doc) => {
        doc.getText('body').insert(0, 'a')
        doc.getText('body').insertEmbed(0, { image: 'x' })
      }),
    ).toEqual({ body: 'a' })
    expect(shownBy((doc) => doc.getText('body').insertEmbed(0, { image: 'x' }))).toEqual({
      body: '',
    })
  })

  test('is the values of a list, without what is no value', () => {
    expect(
      shownBy((doc) => {
        const list = doc.getArray<unknown>('list')
        list.push([1, 'two', { three: 3 }, null])
        list.push([new Uint8Array([1]), 5])
        list.delete(0, 1)
      }),
    ).toEqual({ list: ['two', { three: 3 }, null, 5] })
  })

  test('is the markup of XML, without what is none', () => {
    expect(
      shownBy((doc) => {
        const root = doc.getXmlFragment('page')
        const paragraph = new Y.XmlElement('p')
        paragraph.insert(0, [new Y.XmlText('Hello')])
        root.insert(0, [paragraph, new Y.XmlText('!'), new Y.XmlElement('gone')])
        root.delete(2, 1)
      }),
    ).toEqual({ page: '<p>Hello</p>!' })
    expect(shownBy((doc) => doc.getArray('list').push([new Y.Map(), 'value']))).toEqual({
      list: '',
    })
  })
})

describe('a state contains an update', () => {
  const doc = openDocument([], OWN)
  const text = doc.getText('body')
  const captured = (change: () => void): Uint8Array => {
    const update = captureUpdate(doc, change)
    if (update === undefined) throw new Error('no update')
    return update
  }
  const first = captured(() => text.insert(0, 'abcdef'))
  const cutFront = captured(() => text.delete(0, 2))
  const cutEnd = captured(() => text.delete(2, 2))
  const cutMiddle = captured(() => text.delete(0, 2))
  const other = typed(OTHER, 'x')

  test('when it has all of its items', () => {
    expect(containsUpdate(first, first)).toBe(true)
    expect(containsUpdate(Y.mergeUpdates([first, other]), other)).toBe(true)
    expect(containsUpdate(first, other)).toBe(false)
    expect(containsUpdate(typed(OWN, 'abcde'), first)).toBe(false)
    expect(containsUpdate(typed(OWN, 'abcdefg'), first)).toBe(true)
    expect(containsUpdate(other, new Uint8Array([0, 0]))).toBe(true)
  })

  test('when it has all of its deletions', () => {
    expect(containsUpdate(first, cutFront)).toBe(false)
    expect(containsUpdate(Y.mergeUpdates([first, cutFront]), cutFront)).toBe(true)
    expect(containsUpdate(Y.mergeUpdates([first, cutEnd]), cutFront)).toBe(false)
    expect(containsUpdate(Y.mergeUpdates([first, cutFront]), cutEnd)).toBe(false)
  })

  test('when several deletions of it together cover one', () => {
    const all = updateOf(OWN, (whole) => {
      whole.getText('body').insert(0, 'abcdef')
      whole.getText('body').delete(0, 6)
    })
    const cuts = [cutEnd, cutFront, cutMiddle]
    expect(containsUpdate(Y.mergeUpdates([first, ...cuts]), all)).toBe(true)
    for (const left of cuts) {
      const rest = cuts.filter((cut) => cut !== left)
      expect(containsUpdate(Y.mergeUpdates([first, ...rest]), all)).toBe(false)
    }
    expect(containsUpdate(all, Y.mergeUpdates([first, cutMiddle]))).toBe(true)
  })

  test('also when its deletions stand in no order, and one within another', () => {
    const deleting = (...ranges: readonly (readonly [clock: number, length: number])[]) =>
      Uint8Array.from([...first.subarray(0, -1), 1, OWN, ranges.length, ...ranges.flat()])
    expect(containsUpdate(deleting([5, 1], [1, 1], [0, 5]), deleting([0, 6]))).toBe(true)
    expect(containsUpdate(deleting([0, 5], [1, 1], [5, 1]), deleting([0, 6]))).toBe(true)
    expect(containsUpdate(deleting([5, 1], [0, 4]), deleting([0, 6]))).toBe(false)
  })
})
