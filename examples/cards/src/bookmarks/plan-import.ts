import type { Bookmark } from './bookmark.js'
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

/** Decides what of a file becomes a new card. `present` holds the keys of the cards that are here. */
export function planImport(
  bookmarks: readonly Bookmark[],
  present: ReadonlySet<string>,
): ImportPlan {
  const additions = new Map<string, Bookmark>()
  let existing = 0
  let repeated = 0
  for (const bookmark of bookmarks) {
    const key = bookmarkKey(bookmark)
    if (present.has(key)) {
      existing++
      continue
    }
    const first = additions.get(key)
    if (first !== undefined) repeated++
    additions.set(key, first === undefined ? bookmark : merged(first, bookmark))
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
