import type { Bookmark } from './bookmark.js'
import { createSpelling } from './tags.js'
import { urlKey } from './url.js'

export interface ImportPlan {
  /** What to add, in the order of the file. */
  readonly additions: readonly Bookmark[]
  /** Bookmarks whose address is here already. */
  readonly existing: number
  /** Bookmarks that repeat an address of the same file; their tags are added to the first one. */
  readonly repeated: number
}

/** The same for two bookmarks that should be one card: the address, or the title of a card without one. */
export function bookmarkKey({ url, title }: Pick<Bookmark, 'url' | 'title'>): string {
  return url === undefined ? `note:${title}` : urlKey(url)
}

/** Decides what of a file becomes a new card. `present` is what is here already. */
export function planImport(
  bookmarks: readonly Bookmark[],
  present: Iterable<Pick<Bookmark, 'url' | 'title' | 'tags'>>,
): ImportPlan {
  const keys = new Set<string>()
  const tags = new Set<string>()
  for (const card of present) {
    keys.add(bookmarkKey(card))
    for (const tag of card.tags) tags.add(tag)
  }
  const spell = createSpelling(tags)
  const additions = new Map<string, Bookmark>()
  let existing = 0
  let repeated = 0
  for (const bookmark of bookmarks) {
    const key = bookmarkKey(bookmark)
    if (keys.has(key)) {
      existing++
      continue
    }
    const own = { ...bookmark, tags: spell(bookmark.tags) }
    const first = additions.get(key)
    if (first !== undefined) repeated++
    additions.set(key, first === undefined ? own : merged(first, own))
  }
  return { additions: [...additions.values()], existing, repeated }
}

function merged(first: Bookmark, second: Bookmark): Bookmark {
  return {
    ...first,
    note: first.note === '' ? second.note : first.note,
    tags: [...new Set([...first.tags, ...second.tags])],
    addedAt: earlier(first.addedAt, second.addedAt),
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.min(a, b)
}
