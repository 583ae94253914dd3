import { describe, expect, it } from 'vitest'
import { countTags, createSpelling, mostUsed, toTag, toTags } from './tags.js'

describe('toTag', () => {
  it('makes one line without commas', () => {
    expect(toTag('  News,\n weather ')).toBe('News weather')
  })

  it('cuts a long name between characters', () => {
    expect([...toTag('🌊'.repeat(100))]).toHaveLength(60)
  })
})

describe('toTags', () => {
  it('takes each tag once and drops empty ones', () => {
    expect(toTags('a, b,, a ,')).toEqual(['a', 'b'])
  })
})

describe('createSpelling', () => {
  it('prefers the known spelling, and else the first', () => {
    const spell = createSpelling(['Recipes'])
    expect(spell(['recipes', 'NEW'])).toEqual(['Recipes', 'NEW'])
    expect(spell(['new', 'New', 'RECIPES'])).toEqual(['NEW', 'Recipes'])
  })
})

describe('countTags', () => {
  it('counts by tag, in the order of names', () => {
    const cards = [{ tags: ['b', 'A'] }, { tags: ['b'] }, { tags: [] }]
    expect(countTags(cards)).toEqual([
      { tag: 'A', count: 1 },
      { tag: 'b', count: 2 },
    ])
  })
})

describe('mostUsed', () => {
  it('puts the most used tag first', () => {
    const counts = [
      { tag: 'a', count: 1 },
      { tag: 'b', count: 3 },
      { tag: 'c', count: 2 },
    ]
    expect(mostUsed(counts, 2).map(({ tag }) => tag)).toEqual(['b', 'c'])
  })
})
