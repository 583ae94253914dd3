// A realistic bookmark export of any size, the same for the same seed.
// tsx examples/cards/scripts/generate-bookmarks.ts bookmarks.html --count 5000 --seed 1
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { AUTHORS, FRAMES, NOTES, TOPICS, type Topic } from './vocabulary.js'

export interface GenerateOptions {
  /** How many links to web pages; about one in fifty repeats an earlier address in another folder. */
  readonly count: number
  /** Default 1. */
  readonly seed?: number
}

interface Link {
  readonly url: string
  readonly title: string
  readonly addedAt: number
  readonly note: string | undefined
}

interface Folder {
  readonly name: string
  readonly folders: Map<string, Folder>
  readonly links: Link[]
}

/** Seconds: 1 March 2012 to 1 November 2026. */
const FIRST_DATE = 1_330_560_000
const LAST_DATE = 1_793_491_200

/** One link in so many repeats an earlier one, and one in so many has a description. */
const REPEATS = 50
const NOTED = 6
/** One bookmarklet (which an import has to skip) for so many links, besides `count`. */
const BOOKMARKLETS = 1000

/** The text of a Netscape bookmark file. */
export function generateBookmarks({ count, seed = 1 }: GenerateOptions): string {
  const random = mulberry32(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  const root: Folder = { name: '', folders: new Map(), links: [] }
  const links: Link[] = []
  for (let index = 0; index < count; index++) {
    const topic = pick(TOPICS)
    const earlier = index > 0 && random() < 1 / REPEATS ? pick(links) : undefined
    const link = earlier ?? newLink(topic, index, random, pick)
    links.push(link)
    folderAt(root, topic.path).links.push(link)
  }
  for (let index = 0; index < Math.floor(count / BOOKMARKLETS); index++) {
    folderAt(root, ['Bookmarks bar']).links.push({
      url: `javascript:void(document.title=${index})`,
      title: 'Rename this page',
      addedAt: FIRST_DATE + index,
      note: undefined,
    })
  }
  return [
    '<!DOCTYPE NETSCAPE-Bookmark-file-1>',
    '<!-- This is an automatically generated file.',
    '     It will be read and overwritten.',
    '     DO NOT EDIT! -->',
    '<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=UTF-8">',
    '<TITLE>Bookmarks</TITLE>',
    '<H1>Bookmarks</H1>',
    ...list(root, ''),
    '',
  ].join('\n')
}

function newLink(
  topic: Topic,
  index: number,
  random: () => number,
  pick: <T>(from: readonly T[]) => T,
): Link {
  const subject = pick(topic.subjects)
  const title = pick(FRAMES)(subject, pick(AUTHORS))
  const slug = title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  const query = random() < 0.1 ? `?ref=${pick(['newsletter', 'rss', 'a&b'])}&page=${index % 9}` : ''
  return {
    url: `https://${pick(topic.hosts)}/${slug === '' ? 'page' : slug}-${index}${query}`,
    title,
    // More of them lately than long ago, as in real collections.
    addedAt: Math.floor(FIRST_DATE + Math.sqrt(random()) * (LAST_DATE - FIRST_DATE)),
    note: random() < 1 / NOTED ? pick(NOTES) : undefined,
  }
}

function folderAt(root: Folder, path: readonly string[]): Folder {
  let folder = root
  for (const name of path) {
    const child = folder.folders.get(name) ?? { name, folders: new Map(), links: [] }
    folder.folders.set(name, child)
    folder = child
  }
  return folder
}

function list({ folders, links }: Folder, indent: string): string[] {
  const inner = `${indent}    `
  return [
    `${indent}<DL><p>`,
    ...[...folders.values()].flatMap((folder) => [
      `${inner}<DT><H3 ADD_DATE="${FIRST_DATE}" LAST_MODIFIED="${LAST_DATE}"${bar(folder)}>${escaped(folder.name)}</H3>`,
      ...list(folder, inner),
    ]),
    ...links.flatMap(({ url, title, addedAt, note }) => [
      `${inner}<DT><A HREF="${escaped(url)}" ADD_DATE="${addedAt}">${escaped(title)}</A>`,
      ...(note === undefined ? [] : [`${inner}<DD>${escaped(note)}`]),
    ]),
    `${indent}</DL><p>`,
  ]
}

function bar({ name }: Folder): string {
  return name === 'Bookmarks bar' ? ' PERSONAL_TOOLBAR_FOLDER="true"' : ''
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

/** https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
function mulberry32(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      count: { type: 'string', default: '5000' },
      seed: { type: 'string', default: '1' },
    },
  })
  const file = positionals[0] ?? 'bookmarks.html'
  writeFileSync(file, generateBookmarks({ count: Number(values.count), seed: Number(values.seed) }))
  console.log(`${values.count} bookmarks written to ${file}`)
}
