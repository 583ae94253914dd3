/** The longest tag; a folder's name may be longer and is cut. */
const MAX_LENGTH = 60

/** A tag out of any text: one line, without the comma that separates tags. Empty if nothing is left. */
export function toTag(text: string): string {
  const tidy = text.replace(/[\s,]+/gu, ' ').trim()
  return tidy.length <= MAX_LENGTH ? tidy : [...tidy].slice(0, MAX_LENGTH).join('').trim()
}

/** The tags in a comma-separated list, each one once. */
export function toTags(text: string): string[] {
  return [...new Set(text.split(',').map(toTag))].filter((tag) => tag !== '')
}

/**
 * Gives tags in the spelling that is `known`, or else in which they come first, so that "Recipes" and
 * "recipes" don't become two.
 */
export function createSpelling(known: Iterable<string>): (tags: readonly string[]) => string[] {
  const spelling = new Map<string, string>()
  const spell = (tag: string): string => {
    const key = tag.toLocaleLowerCase()
    const first = spelling.get(key)
    if (first === undefined) spelling.set(key, tag)
    return first ?? tag
  }
  for (const tag of known) spell(tag)
  return (tags) => [...new Set(tags.map(spell))]
}

export interface TagCount {
  readonly tag: string
  readonly count: number
}

const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

/** How many cards carry each tag, by name. */
export function countTags(cards: Iterable<{ readonly tags: readonly string[] }>): TagCount[] {
  const counts = new Map<string, number>()
  for (const { tags } of cards) {
    for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1)
  }
  return [...counts]
    .map(([tag, count]) => ({ tag, count }))
    .sort((a, b) => byName.compare(a.tag, b.tag))
}

/** The `limit` most used tags, the most used one first. */
export function mostUsed(counts: readonly TagCount[], limit: number): TagCount[] {
  return counts.toSorted((a, b) => b.count - a.count).slice(0, limit)
}
