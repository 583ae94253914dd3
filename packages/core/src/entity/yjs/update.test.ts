import * as encoding from 'lib0/encoding'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import {
  clocksOf,
  compactDocument,
  type DeletedRange,
  decodeRuns,
  encodeAppend,
  mergeUpdates,
  writeDeletions,
} from './update.js'

const OWN = 7
const OTHER = 8
const rootOf = (client: number): string => `f:${client}`

const append = (clock: number, values: readonly unknown[], client = OWN): Uint8Array =>
  encodeAppend(
    { client, clock, root: rootOf(client), tail: clock === 0 ? undefined : clock - 1, values },
    [],
  )

function documentOf(client: number, change: (doc: Y.Doc) => void): Uint8Array {
  const doc = new Y.Doc()
  doc.clientID = client
  change(doc)
  return Y.encodeStateAsUpdate(doc)
}

const decode = (update: Uint8Array) => decodeRuns(update, rootOf)

describe('the runs of a client’s own array', () => {
  test('[L4] follow each other from where they begin', () => {
    const update = Y.mergeUpdates([append(0, ['a', 'b']), append(0, [1], OTHER)])
    const { runs, clocks, tails, shared } = decode(update)
    expect(runs).toEqual([
      { client: OTHER, clock: 0, values: [1] },
      { client: OWN, clock: 0, values: ['a', 'b'] },
    ])
    expect(clocks).toEqual(
      new Map([
        [OTHER, 1],
        [OWN, 2],
      ]),
    )
    expect(tails).toEqual(
      new Map([
        [OTHER, 0],
        [OWN, 1],
      ]),
    )
    expect(shared).toBe(false)
  })

  test('[L4] go on behind items that are no registers', () => {
    const update = documentOf(OWN, (doc) => {
      doc.getArray('f:7').push(['a'])
      doc.getText('body').insert(0, 'xyz')
      doc.getArray('f:7').push(['b'])
    })
    const { runs, clocks, tails, shared } = decode(update)
    expect(runs.map(({ clock, values }) => [clock, values])).toEqual([
      [0, ['a']],
      [4, ['b']],
    ])
    expect([clocks.get(OWN), tails.get(OWN), shared]).toEqual([5, 4, true])
  })

  test('[L4] are not what was put between them, before them, or into the array of somebody else', () => {
    const update = documentOf(OWN, (doc) => {
      doc.getArray('f:7').push(['a', 'b'])
      doc.getArray('f:7').insert(1, ['between'])
      doc.getArray('f:7').insert(0, ['before'])
      doc.getArray('f:8').push(['foreign'])
    })
    expect(decode(update).runs.flatMap(({ values }) => values)).toEqual(['a', 'b'])
    expect(decode(update).shared).toBe(true)
    const behind = new Y.Doc()
    behind.clientID = OTHER
    Y.applyUpdate(behind, append(0, ['a', 'b']))
    behind.getArray('f:7').push(['behind'])
    const read = decode(Y.encodeStateAsUpdate(behind))
    expect(read.runs.flatMap(({ values }) => values)).toEqual(['a', 'b'])
    expect([...read.tails]).toEqual([[OWN, 1]])
  })

  test('[L4] are not what its own client put before the item of somebody else, nor that', () => {
    const other = new Y.Doc()
    other.clientID = OTHER
    Y.applyUpdate(other, append(0, ['a']))
    other.getArray('f:8').push(['x'])
    other.getArray('f:7').push(['behind'])
    const own = new Y.Doc()
    Y.applyUpdate(own, Y.encodeStateAsUpdate(other))
    own.clientID = OWN
    own.getArray('f:7').insert(1, ['between'])
    const { runs, tails } = decode(Y.encodeStateAsUpdate(own))
    expect(runs.flatMap(({ values }) => values).sort()).toEqual(['a', 'x'])
    expect([tails.get(OWN), tails.get(OTHER)]).toEqual([0, 0])
  })

  test('go on across a gap in which only other items are missing', () => {
    const later = encodeAppend({ client: OWN, clock: 4, root: 'f:7', tail: 0, values: ['b'] }, [])
    const { runs, clocks, shared } = decode(Y.mergeUpdates([append(0, ['a']), later]))
    expect(runs.map(({ clock, values }) => [clock, values])).toEqual([
      [0, ['a']],
      [4, ['b']],
    ])
    expect([clocks.get(OWN), shared]).toEqual([5, false])
  })

  test('[L4] begin once', () => {
    const twice = documentOf(OWN, (doc) => {
      doc.getArray('f:7').push(['a'])
      doc.getText('body').insert(0, 'x')
    })
    const again = encodeAppend(
      { client: OWN, clock: 2, root: 'f:7', tail: undefined, values: ['b'] },
      [],
    )
    expect(decode(Y.mergeUpdates([twice, again])).runs.flatMap(({ values }) => values)).toEqual([
      'a',
    ])
  })

  test('are read across what is missing between two updates', () => {
    const { runs, clocks, tails, shared } = decode(
      Y.mergeUpdates([append(0, ['a']), append(5, ['c'])]),
    )
    expect(runs.map(({ values }) => values)).toEqual([['a']])
    expect([clocks.get(OWN), tails.get(OWN), shared]).toEqual([6, 0, true])
    // A gap by itself is nothing that a document would show.
    expect(decode(append(5, [])).shared).toBe(false)
  })

  test('[L17] go on behind those that were forgotten', () => {
    const gone = documentOf(OWN, (doc) => {
      doc.getArray('f:7').push(['a', 'b'])
      doc.getArray('f:7').delete(0, 2)
    })
    const { runs, tails, isDeleted } = decode(Y.mergeUpdates([gone, append(2, ['c'])]))
    expect(runs.flatMap(({ values }) => values)).toEqual(['c'])
    expect(tails.get(OWN)).toBe(2)
    expect([0, 1, 2, 3].map((clock) => isDeleted(OWN, clock))).toEqual([true, true, false, false])
    expect(isDeleted(OTHER, 0)).toBe(false)
  })

  test('are all there where nothing is deleted', () => {
    expect(decode(append(0, ['a'])).isDeleted(OWN, 0)).toBe(false)
  })
})

describe('an append', () => {
  test('is what a document would say', () => {
    const values = ['a', 1, null, { b: [true] }]
    expect(append(0, values)).toEqual(documentOf(OWN, (doc) => doc.getArray('f:7').push(values)))
  })

  test('of nothing only deletes', () => {
    const update = encodeAppend({ client: OWN, clock: 3, root: 'f:7', tail: 2, values: [] }, [
      { client: OWN, clock: 1 },
    ])
    expect([...update]).toEqual([0, 1, OWN, 1, 1, 1])
  })
})

describe('deletions', () => {
  const written = (...deletions: readonly DeletedRange[]): number[] => {
    const encoder = encoding.createEncoder()
    writeDeletions(encoder, deletions)
    return [...encoding.toUint8Array(encoder)]
  }
  const range = (client: number, clock: number, length: number): DeletedRange => ({
    client,
    clock,
    length,
  })

  test('are written by client, ascending', () => {
    expect(written()).toEqual([0])
    expect(written(range(OWN, 9, 1), range(OTHER, 0, 2), range(OWN, 2, 3))).toEqual([
      2,
      ...[OWN, 2, 2, 3, 9, 1],
      ...[OTHER, 1, 0, 2],
    ])
  })

  test('that touch, overlap or hold each other become one', () => {
    expect(written(range(OWN, 4, 2), range(OWN, 2, 2))).toEqual([1, OWN, 1, 2, 4])
    expect(written(range(OWN, 2, 3), range(OWN, 4, 2))).toEqual([1, OWN, 1, 2, 4])
    expect(written(range(OWN, 2, 6), range(OWN, 3, 1))).toEqual([1, OWN, 1, 2, 6])
    expect(written(range(OWN, 2, 1), range(OWN, 4, 1))).toEqual([1, OWN, 2, 2, 1, 4, 1])
    expect(written(range(OWN, 0, 1), range(OWN, 1, 1))).toEqual([1, OWN, 1, 0, 2])
  })
})

describe('updates', () => {
  test('become one that says the same', () => {
    const [first, second] = [append(0, ['a']), append(1, ['b'])]
    expect(mergeUpdates([first])).toBe(first)
    const merged = mergeUpdates([second, first])
    expect(decode(merged).runs.flatMap(({ values }) => values)).toEqual(['a', 'b'])
    expect(clocksOf(merged)).toEqual(new Map([[OWN, 2]]))
  })

  test('[L17] are smaller once what was deleted is forgotten', () => {
    const long = append(0, ['x'.repeat(500)])
    const deletion = encodeAppend({ client: OWN, clock: 1, root: 'f:7', tail: 0, values: [] }, [
      { client: OWN, clock: 0 },
    ])
    const compacted = compactDocument(mergeUpdates([long, deletion]))
    expect(compacted.length).toBeLessThan(50)
    expect(clocksOf(compacted)).toEqual(new Map([[OWN, 1]]))
  })
})
