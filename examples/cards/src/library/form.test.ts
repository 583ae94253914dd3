import { describe, expect, it } from 'vitest'
import {
  type CardValues,
  changesBetween,
  EMPTY_FORM,
  findSameUrl,
  readForm,
  toForm,
} from './form.js'

const VALUES: CardValues = {
  title: 'Tide',
  url: 'https://example.com/tide',
  tags: ['Sea', 'science'],
  note: 'Twice a day.',
}

describe('readForm', () => {
  it('reads back what it was made of', () => {
    expect(readForm(toForm(VALUES), [])).toEqual({ values: VALUES })
  })

  it('tidies what was typed', () => {
    const form = { title: ' ', url: ' example.com/high-water ', tags: 'sea,, sea ', note: ' x ' }
    expect(readForm(form, ['Sea'])).toEqual({
      values: {
        title: 'High water',
        url: 'https://example.com/high-water',
        tags: ['Sea'],
        note: 'x',
      },
    })
  })

  it('wants a title or an address', () => {
    expect(readForm(EMPTY_FORM, [])).toHaveProperty('problems.title')
  })

  it.each(['javascript:alert(1)', 'not an address'])('refuses the address %j', (url) => {
    expect(readForm({ ...EMPTY_FORM, title: 'x', url }, [])).toHaveProperty('problems.url')
  })
})

describe('changesBetween', () => {
  it('is empty when nothing changed', () => {
    expect(changesBetween(VALUES, { ...VALUES })).toEqual({})
  })

  it('names what changed and nothing else', () => {
    const after = { ...VALUES, url: undefined, tags: ['science', 'moon'] }
    expect(changesBetween(VALUES, after)).toEqual({
      url: null,
      addTags: ['moon'],
      removeTags: ['Sea'],
    })
  })
})

describe('[B11] a chosen field', () => {
  it('is written although it is the same', () => {
    expect(changesBetween(VALUES, VALUES, new Set(['note']))).toEqual({ note: 'Twice a day.' })
  })
})

describe('findSameUrl', () => {
  const cards = [{ id: 'a', title: 'Tide', url: 'https://www.example.com/tide/' }]

  it('finds the card that has the address already', () => {
    expect(findSameUrl(cards, { ...EMPTY_FORM, url: 'example.com/tide' }, undefined)?.id).toBe('a')
  })

  it('does not find the card that is being edited', () => {
    expect(findSameUrl(cards, { ...EMPTY_FORM, url: 'example.com/tide' }, 'a')).toBeUndefined()
  })
})
