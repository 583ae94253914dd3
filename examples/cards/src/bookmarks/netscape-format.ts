/**
 * The bookmark file that every browser writes and reads: "Netscape-Bookmark-file-1", HTML of 1996 in
 * which a folder is `<DT><H3>` followed by a `<DL>`, a bookmark `<DT><A>`, and a description `<DD>`.
 * https://learn.microsoft.com/previous-versions/windows/internet-explorer/ie-developer/platform-apis/aa753582(v=vs.85)
 */
export const NETSCAPE_DOCTYPE = 'NETSCAPE-Bookmark-file-1'

/**
 * ADD_DATE has whole seconds. Where that loses something, the exact time stands in this attribute,
 * which browsers ignore.
 */
export const EXACT_DATE = 'data-added-at'

/** Where a date stops being plausible in seconds (year 5138), in milliseconds, and so on. */
const SECONDS_BELOW = 1e11
const MILLISECONDS_BELOW = 1e14

/**
 * Milliseconds since the Unix epoch out of ADD_DATE. The format says seconds, and some programs write
 * milliseconds or microseconds: told apart by size.
 */
export function readDate(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,16}$/.test(text.trim())) return undefined
  const number = Number(text)
  if (number === 0) return undefined
  if (number < SECONDS_BELOW) return number * 1000
  return number < MILLISECONDS_BELOW ? number : Math.floor(number / 1000)
}

/** Reads what `EXACT_DATE` holds. */
export function readExactDate(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** Folders that each browser has by itself: they say nothing about what is in them. */
const FURNITURE = new Set([
  'bookmarks',
  'bookmarks bar',
  'bookmarks menu',
  'bookmarks toolbar',
  'favorites',
  'favorites bar',
  'favourites',
  'imported',
  'mobile bookmarks',
  'other bookmarks',
  'unsorted bookmarks',
])

/** True for a folder that should not become a tag. `depth` 0: it stands at the top of the file. */
export function isFurniture(
  name: string,
  attributes: Readonly<Record<string, string>>,
  depth: number,
): boolean {
  if ('personal_toolbar_folder' in attributes) return true
  if ('unfiled_bookmarks_folder' in attributes) return true
  return depth === 0 && FURNITURE.has(name.toLowerCase())
}
