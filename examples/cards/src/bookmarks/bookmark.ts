/**
 * Bookmarks as values: what a browser's export holds, before and after it is cards.
 * Everything in this folder is pure and runs in Node as well; nothing knows React or the store.
 */
export interface Bookmark {
  readonly title: string
  /** Absent for a card that is only a note. */
  readonly url?: string | undefined
  readonly note: string
  readonly tags: readonly string[]
  /** Milliseconds since the Unix epoch; absent when the file doesn't say. */
  readonly addedAt?: number | undefined
}
