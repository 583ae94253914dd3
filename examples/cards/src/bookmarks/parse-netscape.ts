import { decodeHTML, decodeHTMLAttribute } from 'entities'
import { Parser } from 'htmlparser2'
import type { Bookmark } from './bookmark.js'
import {
  EXACT_DATE,
  isFurniture,
  NETSCAPE_DOCTYPE,
  readDate,
  readExactDate,
} from './netscape-format.js'
import { toTag, toTags } from './tags.js'
import { hostOf, isOpenable, schemeOf } from './url.js'

export interface NetscapeFile {
  readonly bookmarks: readonly Bookmark[]
  /** How many links were left out, by scheme, because a web page can't open them. */
  readonly skipped: ReadonlyMap<string, number>
  /** The file ends in the middle of a folder: it was probably cut off. */
  readonly truncated: boolean
}

/** Reads a bookmark file piece by piece, as it comes from the disk. */
export interface NetscapeReader {
  /** How many bookmarks have been read so far. */
  readonly count: number
  write(text: string): void
  /** @throws UnreadableFileError when this isn't a bookmark file, or an empty one. */
  end(): NetscapeFile
}

/** Says in words for a person why a file could not be read. */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError'
}

export function parseNetscape(html: string): NetscapeFile {
  const reader = createNetscapeReader()
  reader.write(html)
  return reader.end()
}

/** Whose text is being collected. */
type Collecting =
  | { readonly what: 'folder'; readonly attributes: Attributes }
  | { readonly what: 'link'; readonly attributes: Attributes }
  | { readonly what: 'note' }

type Attributes = Readonly<Record<string, string>>

const SPACE = /[ \t\r\n\f]+/g

export function createNetscapeReader(): NetscapeReader {
  const bookmarks: Bookmark[] = []
  const skipped = new Map<string, number>()
  /** The tag of each open list: empty for a folder that isn't one, undefined for a list without a name. */
  const folders: (string | undefined)[] = []
  let nextFolder: string | undefined
  let collecting: Collecting | undefined
  let text = ''
  /** A <DD> belongs to the bookmark before it, and not to a folder or to a link that was left out. */
  let noteGoesToLast = false
  let looksRight = false
  let opening = ''
  let ended = false
  let truncated = false

  function finish(): void {
    const done = collecting
    collecting = undefined
    if (done?.what === 'folder') finishFolder(done.attributes)
    else if (done?.what === 'link') finishLink(done.attributes)
    else if (done?.what === 'note') finishNote()
    text = ''
  }

  function finishFolder(attributes: Attributes): void {
    const name = oneLine(text)
    const depth = folders.filter((tag) => tag !== undefined).length
    nextFolder = isFurniture(name, attributes, depth) ? '' : toTag(name)
    noteGoesToLast = false
  }

  function finishLink(attributes: Attributes): void {
    const url = decodeHTMLAttribute(attributes['href'] ?? '').trim()
    const title = oneLine(text)
    if (url === '' ? title === '' : !isOpenable(url)) {
      const scheme = schemeOf(url)
      skipped.set(scheme, (skipped.get(scheme) ?? 0) + 1)
      noteGoesToLast = false
      return
    }
    const addedAt = readExactDate(attributes[EXACT_DATE]) ?? readDate(attributes['add_date'])
    const own = toTags(decodeHTMLAttribute(attributes['tags'] ?? ''))
    const inherited = folders.filter((tag): tag is string => tag !== undefined && tag !== '')
    bookmarks.push({
      title: title === '' ? hostOf(url) : title,
      ...(url === '' ? {} : { url }),
      note: '',
      tags: [...new Set([...inherited, ...own])],
      ...(addedAt === undefined ? {} : { addedAt }),
    })
    noteGoesToLast = true
  }

  function finishNote(): void {
    const last = bookmarks.at(-1)
    if (!noteGoesToLast || last === undefined) return
    bookmarks[bookmarks.length - 1] = { ...last, note: decodeHTML(trimmed(text)) }
    noteGoesToLast = false
  }

  const parser = new Parser(
    {
      onprocessinginstruction(name, data) {
        if (name.toLowerCase() === '!doctype' && data.includes(NETSCAPE_DOCTYPE)) looksRight = true
      },
      onopentag(name, attributes) {
        if (name === 'br' && collecting?.what === 'note') {
          text += '\n'
          return
        }
        if (!STRUCTURE.has(name)) return
        finish()
        if (name === 'dt') looksRight = true
        if (name === 'a') collecting = { what: 'link', attributes }
        else if (name === 'h3') collecting = { what: 'folder', attributes }
        else if (name === 'dd') collecting = { what: 'note' }
        else if (name === 'dl') {
          folders.push(nextFolder)
          nextFolder = undefined
        }
      },
      onclosetag(name) {
        if (!CLOSES.has(name)) return
        finish()
        if (name === 'dl') {
          truncated ||= ended
          folders.pop()
        }
      },
      ontext(data) {
        if (collecting !== undefined) text += data
      },
    },
    // Entities are decoded here, so that white space that is written as one survives the tidying.
    { decodeEntities: false },
  )

  return {
    get count() {
      return bookmarks.length
    },
    write(piece) {
      if (opening.length < 100) opening += piece.slice(0, 100)
      parser.write(piece)
    },
    end() {
      ended = true
      parser.end()
      finish()
      if (!looksRight) throw new UnreadableFileError(explain(opening))
      if (bookmarks.length === 0 && skipped.size === 0) {
        throw new UnreadableFileError('This is a bookmark file, but there is no bookmark in it.')
      }
      return { bookmarks, skipped, truncated }
    },
  }
}

/** Elements that end the text before them. */
const STRUCTURE = new Set(['a', 'h1', 'h3', 'dl', 'dt', 'dd', 'hr'])
const CLOSES = new Set(['a', 'h3', 'dl'])

function oneLine(raw: string): string {
  return decodeHTML(trimmed(raw).replace(SPACE, ' '))
}

function trimmed(raw: string): string {
  return raw.replace(/\r\n?/g, '\n').replace(/^[ \t\n\f]+|[ \t\n\f]+$/g, '')
}

function explain(opening: string): string {
  const start = opening.replace(/^\uFEFF/, '').trimStart()
  if (start === '')
    return 'This file is empty. Export your bookmarks again and choose the new file.'
  if (start.startsWith('{') || start.startsWith('[')) {
    return 'This is a JSON backup, which only the browser that wrote it can read. Export the bookmarks as HTML instead.'
  }
  return 'This doesn’t look like a bookmark file. In your browser’s bookmark manager choose “Export bookmarks”, and pick the HTML file that it saves.'
}
