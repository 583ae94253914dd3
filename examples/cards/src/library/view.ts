/**
 * Which of all cards the list shows. Pure, and fast enough to run while somebody types: what is
 * expensive a card (folding its text) is done once a card and version.
 */
export type SortOrder = 'newest' | 'title'

export interface View {
  /** What stands in the search field. */
  readonly search: string
  /** Only cards that carry this tag; undefined: all; null: only those without any. */
  readonly tag: string | null | undefined
  readonly sort: SortOrder
}

/** As much of a card as finding it needs. */
export interface Listed {
  readonly title: string
  readonly url?: string | undefined
  readonly note: string
  readonly tags: readonly string[]
}

export const EVERYTHING: View = { search: '', tag: undefined, sort: 'newest' }

/** The cards of `view`, in the order in which they come. Every word has to occur somewhere in a card. */
export function selectCards<Card extends Listed>(
  cards: readonly Card[],
  view: Pick<View, 'search' | 'tag'>,
): readonly Card[] {
  const words = fold(view.search).split(/\s+/).filter(Boolean)
  if (words.length === 0 && view.tag === undefined) return cards
  return cards.filter((card) => isTagged(card, view.tag) && hasWords(card, words))
}

export function isFiltered(view: View): boolean {
  return view.search.trim() !== '' || view.tag !== undefined
}

function isTagged(card: Listed, tag: View['tag']): boolean {
  if (tag === undefined) return true
  return tag === null ? card.tags.length === 0 : card.tags.includes(tag)
}

function hasWords(card: Listed, words: readonly string[]): boolean {
  if (words.length === 0) return true
  const text = searchText(card)
  return words.every((word) => text.includes(word))
}

/** Rows are frozen and keep their identity until they change, so a row is a fine key. */
const searchTexts = new WeakMap<Listed, string>()

function searchText(card: Listed): string {
  let text = searchTexts.get(card)
  if (text === undefined) {
    text = fold([card.title, card.url ?? '', card.note, ...card.tags].join('\n'))
    searchTexts.set(card, text)
  }
  return text
}

/** Most texts have nothing to fold but their case, which is ten times as fast. */
const PLAIN = /^[\u0020-\u007e\n]*$/

/** Without case and accents: "cafe" finds "Café". */
function fold(text: string): string {
  if (PLAIN.test(text)) return text.toLowerCase()
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
}
