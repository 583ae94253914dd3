import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Bookmark } from './bookmark.js'
import { parseNetscape } from './parse-netscape.js'
import { serializeNetscape } from './serialize-netscape.js'
import { toTag } from './tags.js'

/** Text that an HTML reader likes to change: entities, white space at the ends, markup, controls. */
const troublesome = fc.constantFrom(
  '&amp;',
  '&lt;b&gt;',
  '&nbsp',
  '&#10;',
  '<DT>',
  '</A>',
  '</DL>',
  '<!--',
  ']]>',
  '"',
  "'",
  ' ',
  '  ',
  '\n',
  '\r\n',
  '\r',
  '\t',
  '\f',
  '\u00a0',
  '\u0000',
  '\u0085',
  '\u2028',
  '\ufeff',
  ',',
)
const text = fc
  .array(fc.oneof(troublesome, fc.string({ unit: 'binary', maxLength: 8 }), fc.lorem()), {
    maxLength: 6,
  })
  .map((parts) => parts.join(''))

const bookmark: fc.Arbitrary<Bookmark> = fc
  .record({
    title: text.filter((title) => title !== ''),
    url: fc.option(fc.webUrl({ withQueryParameters: true, withFragments: true }), {
      nil: undefined,
    }),
    note: text,
    tags: fc.uniqueArray(text.map(toTag).filter((tag) => tag !== '')),
    addedAt: fc.option(
      fc.oneof(
        fc.integer({ min: 1, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
        fc.integer({ min: 0, max: 4_000_000_000_000 }),
      ),
      { nil: undefined },
    ),
  })
  .map(({ url, addedAt, ...rest }) => ({
    ...rest,
    ...(url === undefined ? {} : { url }),
    ...(addedAt === undefined ? {} : { addedAt }),
  }))

/** The order of bookmarks and of tags has no meaning: a file sorts both into folders. */
function comparable(bookmarks: readonly Bookmark[]): string[] {
  return bookmarks
    .map(({ tags, title, url, note, addedAt }) =>
      JSON.stringify([title, url, note, addedAt, tags.toSorted()]),
    )
    .sort()
}

describe('export and import', () => {
  it('[B14] give back every title, address, tag, note and date', () => {
    fc.assert(
      fc.property(fc.array(bookmark, { minLength: 1, maxLength: 12 }), (bookmarks) => {
        const { bookmarks: read, skipped, truncated } = parseNetscape(serializeNetscape(bookmarks))
        expect(comparable(read)).toEqual(comparable(bookmarks))
        expect([...skipped]).toEqual([])
        expect(truncated).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  it('never fail on a damaged file with anything but words for a person', () => {
    fc.assert(
      fc.property(
        fc.array(bookmark, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        fc.nat(40),
        text,
        (bookmarks, position, length, noise) => {
          const html = serializeNetscape(bookmarks)
          const at = position % html.length
          const damaged = html.slice(0, at) + noise + html.slice(at + length)
          try {
            for (const { title } of parseNetscape(damaged).bookmarks) expect(title).not.toBe('')
          } catch (error) {
            expect(error).toHaveProperty('name', 'UnreadableFileError')
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})
