import { describe, expect, test } from 'vitest'
import type { CardSnapshot } from '../support/cards-page.js'
import { createLedger } from './ledger.js'
import type { Deed } from './perform.js'

// A check that can't fail proves nothing: here it is shown made-up losses.

const SPACE = 'space'
const write = (operation: string, values: Partial<Deed>): Deed => ({
  operation,
  card: 'ada-1',
  field: 'title',
  value: operation,
  saw: [],
  ...values,
})
const accepted = (...ids: string[]) =>
  ids.map((id, index) => ({ id, space: SPACE, sequence: index + 1 }))
const shown = (values: Partial<CardSnapshot> = {}): CardSnapshot => ({
  id: 'ada-1',
  title: 'make',
  note: 'note',
  tags: [],
  status: 'synced',
  titles: ['make'],
  ...values,
})

function ledgerOf(...deeds: Deed[]) {
  const ledger = createLedger()
  ledger.add([write('make', {}), write('make', { field: 'note', value: 'note' }), ...deeds])
  return ledger
}

const NOT_RESTORED = { restored: false }

describe('the ledger of the chaos test', () => {
  test('misses a saved operation that the relay lacks, and one that nobody made', () => {
    const ledger = ledgerOf()
    ledger.saved(['make'])
    expect(ledger.compareOperations(accepted('make'))).toEqual([])
    expect(ledger.compareOperations(accepted('other'))).toEqual([
      'make was saved and is lost',
      'nobody made other',
    ])
    expect(ledger.compareOperations([{ id: 'make', space: SPACE, sequence: 2 }])).toEqual([
      'make has sequence 2, which leaves a gap',
    ])
  })

  test('wants every title that no other has replaced, and no other', () => {
    const ledger = ledgerOf(
      write('a', { saw: ['make'] }),
      write('b', { saw: ['make'] }),
      write('c', { saw: ['a'] }),
    )
    const all = accepted('make', 'a', 'b', 'c')
    const compare = (titles: string[], operations = all) =>
      ledger.compareCards(operations, [shown({ title: titles[0] ?? '', titles })], NOT_RESTORED)
    expect(compare(['c', 'b'])).toEqual([])
    expect(compare(['b', 'c'])).toEqual([])
    expect(compare(['c'])).toEqual(['ada-1 has the titles c instead of b,c'])
    expect(compare(['c', 'b', 'a'])).toEqual(['ada-1 has the titles a,b,c instead of b,c'])
    expect(compare(['a'], accepted('make', 'a'))).toEqual([])
  })

  test('finds a card that is missing, there twice, or nobody’s', () => {
    const ledger = ledgerOf()
    const compare = (...cards: CardSnapshot[]) =>
      ledger.compareCards(accepted('make'), cards, NOT_RESTORED)
    expect(compare(shown())).toEqual([])
    expect(compare()).toEqual(['ada-1 is missing'])
    expect(compare(shown(), shown())).toEqual(['ada-1 is there twice'])
    expect(compare(shown(), shown({ id: 'x' }))).toEqual(['nobody made card x'])
    expect(ledger.compareCards([], [], NOT_RESTORED)).toEqual([])
  })

  test('wants the last deletion or restoration of a card to hold', () => {
    const deleted = write('gone', { field: '$deleted', value: 'deleted gone' })
    const restored = write('back', { field: '$deleted', value: 'restored back' })
    const ledger = ledgerOf(deleted, restored)
    const compare = (operations: string[], cards: CardSnapshot[], isRestored = false) =>
      ledger.compareCards(accepted(...operations), cards, { restored: isRestored })
    expect(compare(['make', 'gone', 'back'], [shown()])).toEqual([])
    expect(compare(['make', 'gone'], [])).toEqual([])
    expect(compare(['make', 'gone'], [shown()])).toEqual(['ada-1 is back although it was deleted'])
    expect(compare(['make', 'gone', 'back'], [])).toEqual(['ada-1 is missing'])
    expect(compare(['make', 'gone'], [shown()], true)).toEqual([])
  })

  test('compares tags, notes and statuses', () => {
    const ledger = ledgerOf(
      write('tag', { field: 'tags:x', value: 'x' }),
      write('tag2', { field: 'tags:y', value: 'y' }),
      write('untag', { field: 'tags:x', value: 'no x', saw: ['x'] }),
    )
    const all = accepted('make', 'tag', 'tag2', 'untag')
    const compare = (values: Partial<CardSnapshot>) =>
      ledger.compareCards(all, [shown({ tags: ['y'], ...values })], NOT_RESTORED)
    expect(compare({})).toEqual([])
    expect(compare({ tags: ['x', 'y'] })).toEqual(['ada-1 has the tags x,y instead of y'])
    expect(compare({ tags: [] })).toEqual(['ada-1 has the tags  instead of y'])
    expect(compare({ note: 'other' })).toEqual(['ada-1 has the note other'])
    expect(compare({ status: 'pending' })).toEqual(['ada-1 is pending'])
  })
})
