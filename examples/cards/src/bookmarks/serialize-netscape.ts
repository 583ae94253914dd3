import type { Bookmark } from './bookmark.js'
import { EXACT_DATE, NETSCAPE_DOCTYPE } from './netscape-format.js'
import { countTags } from './tags.js'

/**
 * A bookmark file that browsers import, and that gives the same bookmarks when it is imported here.
 * Each bookmark stands in the folder of its most used tag, for browsers that know folders only, and
 * carries all of its tags in TAGS.
 */
export function serializeNetscape(bookmarks: readonly Bookmark[]): string {
  const { folders, loose } = inFolders(bookmarks)
  return [
    `<!DOCTYPE ${NETSCAPE_DOCTYPE}>`,
    '<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=UTF-8">',
    '<TITLE>Bookmarks</TITLE>',
    '<H1>Bookmarks</H1>',
    '<DL><p>',
    ...[...folders].flatMap(([name, content]) => [
      `    <DT><H3>${line(name)}</H3>`,
      '    <DL><p>',
      ...content.flatMap((bookmark) => entry(bookmark, '        ')),
      '    </DL><p>',
    ]),
    ...loose.flatMap((bookmark) => entry(bookmark, '    ')),
    '</DL><p>',
    '',
  ].join('\n')
}

interface InFolders {
  readonly folders: ReadonlyMap<string, readonly Bookmark[]>
  readonly loose: readonly Bookmark[]
}

function inFolders(bookmarks: readonly Bookmark[]): InFolders {
  const counts = new Map(countTags(bookmarks).map(({ tag, count }) => [tag, count]))
  const weight = (tag: string) => counts.get(tag) ?? 0
  const folders = new Map<string, Bookmark[]>()
  const loose: Bookmark[] = []
  for (const bookmark of bookmarks) {
    const name = bookmark.tags.toSorted((a, b) => weight(b) - weight(a))[0]
    if (name === undefined) loose.push(bookmark)
    else {
      const content = folders.get(name)
      if (content === undefined) folders.set(name, [bookmark])
      else content.push(bookmark)
    }
  }
  return { folders, loose }
}

function entry({ title, url, note, tags, addedAt }: Bookmark, indent: string): string[] {
  const attributes = [`HREF="${attribute(url ?? '')}"`, ...dates(addedAt)]
  if (tags.length > 0) attributes.push(`TAGS="${attribute(tags.join(','))}"`)
  const lines = [`${indent}<DT><A ${attributes.join(' ')}>${line(title)}</A>`]
  if (note !== '') lines.push(`${indent}<DD>${paragraphs(note)}`)
  return lines
}

function dates(addedAt: number | undefined): string[] {
  if (addedAt === undefined) return []
  const seconds = Math.floor(addedAt / 1000)
  const exact = seconds * 1000 === addedAt && seconds > 0 ? [] : [`${EXACT_DATE}="${addedAt}"`]
  return [`ADD_DATE="${seconds}"`, ...exact]
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character)
}

/** White space that a reader would tidy away, written so that it stays. */
function numeric(space: string): string {
  return [...space].map((character) => `&#${character.charCodeAt(0)};`).join('')
}

function attribute(text: string): string {
  return escaped(text).replace(/^[ \t\r\n\f]+|[ \t\r\n\f]+$/g, numeric)
}

function line(text: string): string {
  return escaped(text).replace(/^[ \t\r\n\f]+|[ \t\r\n\f]+$|[\t\r\n\f]+|[ ]{2,}/g, numeric)
}

function paragraphs(text: string): string {
  return escaped(text).replace(/^[ \t\r\n\f]+|[ \t\r\n\f]+$|\r/g, numeric)
}
