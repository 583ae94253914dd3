import type { Bookmark } from '../bookmarks/bookmark.js'
import { serializeNetscape } from '../bookmarks/serialize-netscape.js'

/** Hands the bookmarks to the browser as a file that every browser imports. */
export function downloadBookmarks(bookmarks: readonly Bookmark[], today: Date): void {
  const file = new Blob([serializeNetscape(bookmarks)], { type: 'text/html' })
  const url = URL.createObjectURL(file)
  const link = document.createElement('a')
  link.href = url
  link.download = `bookmarks-${today.toISOString().slice(0, 10)}.html`
  link.click()
  // The download has taken hold of the file by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
