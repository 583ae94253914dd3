import { describe, expect, it } from 'vitest'
import { generateBookmarks } from '../../scripts/generate-bookmarks.js'
import type { Bookmark } from './bookmark.js'
import { parseNetscape } from './parse-netscape.js'
import { planImport } from './plan-import.js'

const bookmark = (values: Partial<Bookmark>): Bookmark => ({
  title: 'Title',
  note: '',
  tags: [],
  ...values,
})

describe('planImport', () => {
  it('makes one card of an address that stands in two folders, with the tags of both', () => {
    const plan = planImport(
      [
        bookmark({ url: 'https://example.com/a', tags: ['x'], addedAt: 2000 }),
        bookmark({ url: 'http://www.example.com/a/', tags: ['y', 'x'], note: 'n', addedAt: 1000 }),
      ],
      [],
    )
    expect(plan).toEqual({
      additions: [
        bookmark({ url: 'https://example.com/a', tags: ['x', 'y'], note: 'n', addedAt: 1000 }),
      ],
      existing: 0,
      repeated: 1,
    })
  })

  it('leaves out what is here already', () => {
    const present = [bookmark({ url: 'https://example.com/' })]
    const plan = planImport([bookmark({ url: 'https://example.com' })], present)
    expect(plan).toEqual({ additions: [], existing: 1, repeated: 0 })
  })

  it('writes tags as the cards that are here do', () => {
    const present = [bookmark({ tags: ['Cooking'] })]
    const plan = planImport([bookmark({ title: 'x', tags: ['cooking', 'New'] })], present)
    expect(plan.additions[0]?.tags).toEqual(['Cooking', 'New'])
  })

  it('tells cards without an address apart by their title', () => {
    const plan = planImport([bookmark({ title: 'a' }), bookmark({ title: 'b' })], [])
    expect(plan.additions).toHaveLength(2)
  })

  it('[B14] adds nothing of a file of 5,000 that was imported before', () => {
    const { bookmarks } = parseNetscape(generateBookmarks({ count: 5000 }))
    const first = planImport(bookmarks, [])
    const second = planImport(bookmarks, first.additions)
    expect(first.additions.length + first.repeated).toBe(5000)
    expect(second).toEqual({ additions: [], existing: 5000, repeated: 0 })
  })
})
