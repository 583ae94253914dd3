import { expect, test } from 'vitest'
import * as z from 'zod'
import type { StorableValue } from '../entity/index.js'
import { type ConfirmedEntity, createReplica } from '../replica/index.js'
import { set } from '../schema/index.js'
import { createRows } from './rows.js'

const fields = {
  list: z.string(),
  done: z.boolean().default(false),
  note: z.string().optional(),
  tags: set(z.string()),
}

const COUNT = 10_000
const LISTS = 1000

function entity(index: number, values: Record<string, StorableValue> = {}): ConfirmedEntity {
  const list = `list ${index % LISTS}`
  return {
    collection: 'cards',
    id: `card${index}`,
    generation: '0',
    bytes: new Uint8Array(),
    compactedSize: 0,
    confirmedSequence: 1,
    sequence: 1,
    lastModified: 1,
    view: {
      values: { list, ...values },
      conflicts: undefined,
      shared: undefined,
      sequence: 1,
      lastModified: 1,
    },
  }
}

/** Many cards, ten to a list, and how many of their rows were built. */
function manyCards() {
  const replica = createReplica()
  let built = 0
  const rows = createRows('cards', fields, replica, () => {
    built += 1
    return 'synced'
  })
  replica.subscribe((keys) =>
    rows.invalidate(new Set([...keys].map((key) => key.split('/')[1] ?? ''))),
  )
  const absorb = (entities: readonly ConfirmedEntity[]): void =>
    replica.absorb({ entities, operations: [], gone: [] })
  absorb(Array.from({ length: COUNT }, (_, index) => entity(index)))
  /** How many rows `act` builds. */
  const builtBy = (act: () => unknown): number => {
    built = 0
    act()
    return built
  }
  return { rows, absorb, builtBy }
}

test('a query by equality builds its own rows only, at first and after changes', () => {
  const { rows, absorb, builtBy } = manyCards()
  const query = rows.query({ where: { list: 'list 7', done: false } })
  expect(builtBy(() => query.current)).toBe(10)
  expect(query.current).toHaveLength(10)
  query.subscribe(() => undefined)
  // One comes, one goes, one changes its list's name, and the others are none of its business.
  absorb([entity(8, { list: 'list 7' }), entity(7, { done: true }), entity(1007, { list: 'x' })])
  absorb([entity(9, { done: true }), entity(10, { list: 'list 8' })])
  expect(builtBy(() => query.current)).toBeLessThanOrEqual(2)
  expect(query.current.map(({ id }) => id)).toEqual(
    [2007, 3007, 4007, 5007, 6007, 7007, 8, 8007, 9007].map((index) => `card${index}`),
  )
  // As when the device goes offline: every row may show another status.
  expect(builtBy(() => rows.invalidate())).toBe(0)
  // Those of the list; done ones are more than these.
  expect(builtBy(() => query.current)).toBe(10)
})

test('an index finds what a row shows: defaults, what nobody wrote, and nothing of deleted ones', () => {
  const { rows, absorb } = manyCards()
  absorb([
    entity(0, { done: true }),
    entity(1, { note: 'a', 'tags:b': true }),
    entity(2, { $deleted: 5 }),
    entity(COUNT, { list: 'list 1' }),
  ])
  const count = (where: object): number => rows.query({ where }).current.length
  expect(count({ done: false })).toBe(COUNT - 1)
  expect(count({ done: true })).toBe(1)
  expect(count({ note: undefined })).toBe(COUNT - 1)
  expect(count({ note: 'a' })).toBe(1)
  expect(count({ note: null })).toBe(0)
  expect(count({ list: 'list 2' })).toBe(9)
  expect(count({ list: 'list 1', tags: [] })).toBe(10)
  expect(count({ tags: ['b'] })).toBe(1)
  expect(count({ tags: undefined })).toBe(0)
  expect(count({ id: 'card1' })).toBe(1)
  expect(count({ id: 'card2' })).toBe(0)
  expect(count({ $lastModified: 1, list: 'list 0' })).toBe(10)
  absorb([entity(2)])
  expect(count({ list: 'list 2' })).toBe(10)
  expect(count({ id: 'card2' })).toBe(1)
})

test('a query that makes no sense is refused when it is made', () => {
  const { rows } = manyCards()
  expect(() => rows.query({ limit: -1 })).toThrow(/cards has -1 as its limit/)
})
