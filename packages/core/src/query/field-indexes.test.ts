import { expect, test } from 'vitest'
import { ABSENT } from './field-index.js'
import { createFieldIndexes, type Equality } from './field-indexes.js'

type Values = Readonly<Record<string, unknown>>

/** Indexes over some rows, with a list of the fields that were read: each of a row's makes an entry. */
function indexed(rows: Record<string, Values>) {
  const reads: string[] = []
  const indexes = createFieldIndexes({
    ids: () => Object.keys(rows),
    value(id, field) {
      reads.push(field)
      const row = rows[id]
      return row === undefined ? ABSENT : row[field]
    },
  })
  const found = (...equalities: readonly Equality[]): string =>
    [...(indexes.candidates(equalities) ?? ['all'])].join('')
  /** The fields that are read by `act`. */
  const readBy = (act: () => unknown): string => {
    reads.length = 0
    act()
    return reads.join(' ')
  }
  return { indexes, found, readBy }
}

test('candidates are those of the equality that leaves the fewest', () => {
  const { found } = indexed({
    a: { list: 1, done: false },
    b: { list: 2, done: false },
    c: { list: 1, done: true },
    d: { list: 1, done: false },
  })
  expect(found(['list', 1], ['done', true])).toBe('c')
  expect(found(['done', false], ['list', 2])).toBe('b')
  expect(found(['done', false], ['list', 3])).toBe('')
  expect(found(['done', false])).toBe('abd')
  expect(found()).toBe('all')
})

test('an index is made once, and each change reads no more than the row that changed', () => {
  const rows: Record<string, Values> = { a: { x: 1 }, b: { x: 2 } }
  const { indexes, found, readBy } = indexed(rows)
  expect(readBy(() => indexes.update(['a']))).toBe('')
  expect(readBy(() => found(['x', 1]))).toBe('x x')
  expect(readBy(() => found(['x', 2]))).toBe('')
  rows['a'] = { x: 2 }
  delete rows['b']
  expect(readBy(() => indexes.update(['a', 'b']))).toBe('x x')
  expect(found(['x', 1])).toBe('')
  expect(found(['x', 2])).toBe('a')
})

test('indexes that nobody holds are few, those that were used last', () => {
  const { indexes, found, readBy } = indexed({ a: {} })
  for (const field of ['p', 'q', 'r', 's']) found([field, 1])
  found(['p', 1])
  expect(readBy(() => found(['t', 1]))).toBe('t')
  expect(
    readBy(() => indexes.update(['a']))
      .split(' ')
      .sort()
      .join(''),
  ).toBe('prst')
})

test('an index that is held stays until the last holder has left, each of which leaves once', () => {
  const { indexes, found, readBy } = indexed({ a: {} })
  const others = (): void => {
    for (const field of ['p', 'q', 'r', 's']) found([field, 1])
  }
  const first = indexes.hold([['x', 1]])
  const second = indexes.hold([
    ['x', 2],
    ['y', 1],
  ])
  found(['x', 1])
  others()
  first()
  first()
  others()
  expect(readBy(() => found(['x', 1]))).toBe('')
  second()
  others()
  expect(readBy(() => found(['x', 1]))).toBe('x')
})
