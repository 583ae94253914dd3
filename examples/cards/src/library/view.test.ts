import { describe, expect, it } from 'vitest'
import { EVERYTHING, isFiltered, type Listed, selectCards, type View } from './view.js'

const CARDS: readonly Listed[] = [
  { title: 'Le café', url: 'https://example.com/paris', note: '', tags: [] },
  { title: 'Chapter 10', note: 'Notes from Oslo', tags: ['books'] },
  { title: 'Chapter 9', note: '', tags: ['books', 'Reisen & Straße'] },
]

const titles = (view: Partial<View>) =>
  selectCards(CARDS, { ...EVERYTHING, ...view }).map(({ title }) => title)

describe('selectCards', () => {
  it('keeps the order', () => {
    expect(titles({})).toEqual(['Le café', 'Chapter 10', 'Chapter 9'])
  })

  it.each([
    ['CAFE', ['Le café']],
    ['example.com', ['Le café']],
    ['oslo chapter', ['Chapter 10']],
    ['reisen', ['Chapter 9']],
    ['  ', ['Le café', 'Chapter 10', 'Chapter 9']],
    ['nowhere', []],
  ])('finds %j in titles, addresses, notes and tags', (search, expected) => {
    expect(titles({ search })).toEqual(expected)
  })

  it('filters by tag, and by none', () => {
    expect(titles({ tag: 'books' })).toEqual(['Chapter 10', 'Chapter 9'])
    expect(titles({ tag: null })).toEqual(['Le café'])
    expect(titles({ tag: 'books', search: '9' })).toEqual(['Chapter 9'])
  })
})

describe('isFiltered', () => {
  it('is true when something may be hidden', () => {
    expect(isFiltered(EVERYTHING)).toBe(false)
    expect(isFiltered({ ...EVERYTHING, search: ' ' })).toBe(false)
    expect(isFiltered({ ...EVERYTHING, search: 'x' })).toBe(true)
    expect(isFiltered({ ...EVERYTHING, tag: null })).toBe(true)
  })
})
