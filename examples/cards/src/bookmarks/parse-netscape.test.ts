import { describe, expect, it } from 'vitest'
import { createNetscapeReader, parseNetscape, UnreadableFileError } from './parse-netscape.js'

const CHROME = `<!DOCTYPE NETSCAPE-Bookmark-file-1>
<!-- This is an automatically generated file.
     It will be read and overwritten.
     DO NOT EDIT! -->
<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=UTF-8">
<TITLE>Bookmarks</TITLE>
<H1>Bookmarks</H1>
<DL><p>
    <DT><H3 ADD_DATE="1600000000" LAST_MODIFIED="1700000000" PERSONAL_TOOLBAR_FOLDER="true">Bookmarks bar</H3>
    <DL><p>
        <DT><H3 ADD_DATE="1600000001" LAST_MODIFIED="0">Cooking</H3>
        <DL><p>
            <DT><H3 ADD_DATE="1600000002" LAST_MODIFIED="0">Bread &amp; butter</H3>
            <DL><p>
                <DT><A HREF="https://example.com/?a=1&b=2&copy=3" ADD_DATE="1611111111" ICON="data:image/png;base64,AAAA">Tom&#39;s &quot;Sourdough&quot; &ndash; a primer</A>
            </DL><p>
        </DL><p>
        <DT><A HREF="javascript:(function(){alert('x')})()" ADD_DATE="1611111112">Bookmarklet</A>
    </DL><p>
    <DT><A HREF="https://example.org/" ADD_DATE="1611111113">Loose</A>
</DL><p>
`

const FIREFOX = `<!DOCTYPE NETSCAPE-Bookmark-file-1>
<meta http-equiv="Content-Security-Policy" content="default-src 'self'; script-src 'none'; img-src data: *; object-src 'none'"></meta>
<TITLE>Bookmarks</TITLE>
<H1>Bookmarks Menu</H1>

<DL><p>
    <DT><A HREF="place:sort=8&maxResults=10" ADD_DATE="1500000000" QUERY_URI="x">Most Visited</A>
    <HR>    <DT><H3 ADD_DATE="1500000001">Recherche</H3>
    <DD>A folder's description
    <DL><p>
        <DT><A HREF="https://example.net/caf%C3%A9" ADD_DATE="1500000002" TAGS="paris,Café ☕,Recherche" SHORTCUTURL="c">Le café</A>
        <DD>First line
second line &lt;b&gt;
        <DT><A HREF="https://example.net/next">Next</A>
    </DL><p>
    <DT><H3 ADD_DATE="1500000003" UNFILED_BOOKMARKS_FOLDER="true">Other Bookmarks</H3>
    <DL><p>
        <DT><A HREF="https://example.net/unfiled">Unfiled</A>
    </DL><p>
</DL>
`

const SAFARI = `<!DOCTYPE NETSCAPE-Bookmark-file-1>
\t<HTML>
\t<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=UTF-8">
\t<Title>Bookmarks</Title>
\t<H1>Bookmarks</H1>
\t<DT><H3 FOLDED>Favorites</H3>
\t<DL><p>
\t\t<DT><A HREF="https://example.com/fav">Fav</A>
\t</DL><p>
\t<DT><H3 FOLDED id="com.apple.ReadingList">Reading List</H3>
\t<DL><p>
\t\t<DT><A HREF="https://example.com/later">Later</A>
\t</DL><p>
\t</HTML>
`

describe('a file of Chrome', () => {
  const { bookmarks, skipped, truncated } = parseNetscape(CHROME)

  it('turns nested folders into tags, and leaves the bookmarks bar out', () => {
    expect(bookmarks).toEqual([
      {
        title: 'Tom\'s "Sourdough" – a primer',
        url: 'https://example.com/?a=1&b=2&copy=3',
        note: '',
        tags: ['Cooking', 'Bread & butter'],
        addedAt: 1_611_111_111_000,
      },
      {
        title: 'Loose',
        url: 'https://example.org/',
        note: '',
        tags: [],
        addedAt: 1_611_111_113_000,
      },
    ])
  })

  it('counts what a page can’t open', () => {
    expect([...skipped]).toEqual([['javascript', 1]])
  })

  it('is complete', () => {
    expect(truncated).toBe(false)
  })
})

describe('a file of Firefox', () => {
  const { bookmarks, skipped } = parseNetscape(FIREFOX)

  it('adds the TAGS attribute to the folders', () => {
    expect(bookmarks[0]?.tags).toEqual(['Recherche', 'paris', 'Café ☕'])
  })

  it('takes a description as the note of its bookmark, and a folder’s description for nothing', () => {
    expect(bookmarks.map(({ note }) => note)).toEqual(['First line\nsecond line <b>', '', ''])
  })

  it('leaves the folder of unfiled bookmarks out', () => {
    expect(bookmarks.at(-1)).toEqual({
      title: 'Unfiled',
      url: 'https://example.net/unfiled',
      note: '',
      tags: [],
    })
  })

  it('skips saved searches', () => {
    expect([...skipped]).toEqual([['place', 1]])
  })
})

describe('a file of Safari', () => {
  it('is read without an outer list or any dates', () => {
    expect(parseNetscape(SAFARI).bookmarks).toEqual([
      { title: 'Fav', url: 'https://example.com/fav', note: '', tags: [] },
      { title: 'Later', url: 'https://example.com/later', note: '', tags: ['Reading List'] },
    ])
  })
})

describe('unusual files', () => {
  const one = (link: string) => parseNetscape(`<DL><DT>${link}</DL>`).bookmarks[0]

  it('names a bookmark without a title after its host', () => {
    expect(one('<A HREF="https://www.example.com/x"></A>')?.title).toBe('example.com')
  })

  it('keeps a title without an address as a note to oneself', () => {
    expect(one('<A HREF="">Remember the milk</A>')).toEqual({
      title: 'Remember the milk',
      note: '',
      tags: [],
    })
  })

  it.each([
    ['1611111111', 1_611_111_111_000],
    ['1611111111222', 1_611_111_111_222],
    ['1611111111222333', 1_611_111_111_222],
    ['0', undefined],
    ['-5', undefined],
    ['yesterday', undefined],
    ['', undefined],
  ])('reads ADD_DATE="%s" as %s', (date, addedAt) => {
    expect(one(`<A HREF="https://example.com" ADD_DATE="${date}">x</A>`)?.addedAt).toBe(addedAt)
  })

  it('reads lower-case tags, single quotes and unclosed elements', () => {
    expect(one("<dl><dt><a href='https://example.com'>x")?.title).toBe('x')
  })

  it('gives the same wherever the pieces of the file end', () => {
    const whole = parseNetscape(FIREFOX)
    for (let size = 1; size < 60; size += 7) {
      const reader = createNetscapeReader()
      for (let at = 0; at < FIREFOX.length; at += size) reader.write(FIREFOX.slice(at, at + size))
      expect(reader.end()).toEqual(whole)
    }
  })

  it('reads what is there of a file that was cut off, and says so', () => {
    const { bookmarks, truncated } = parseNetscape(CHROME.slice(0, CHROME.indexOf('</DL>')))
    expect(bookmarks).toHaveLength(1)
    expect(truncated).toBe(true)
  })

  it('takes no tag from a link that is inside of no folder', () => {
    const { bookmarks } = parseNetscape(
      '<DL><DT><H3>A</H3><DL><DT><A HREF="https://a.example">a</A></DL><DT><A HREF="https://b.example">b</A></DL>',
    )
    expect(bookmarks.map(({ tags }) => tags)).toEqual([['A'], []])
  })
})

describe('files that are no bookmark files', () => {
  it.each([
    ['nothing', '', /empty/],
    ['white space', ' \n ', /empty/],
    ['a JSON backup', '{"guid":"root________"}', /JSON/],
    ['another page', '<!doctype html><p><a href="https://example.com">x</a>', /doesn’t look like/],
    ['prose', 'Dear diary,', /doesn’t look like/],
    ['bytes', '\u0000\u0001PK\u0003\u0004', /doesn’t look like/],
    [
      'an export without bookmarks',
      '<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><p></DL>',
      /no bookmark/,
    ],
  ])('explains what is wrong with %s', (_, html, words) => {
    expect(() => parseNetscape(html)).toThrow(UnreadableFileError)
    expect(() => parseNetscape(html)).toThrow(words)
  })
})
