import { bookmarkKey } from '../bookmarks/plan-import.js'
import { createSpelling, toTags } from '../bookmarks/tags.js'
import { titleFromUrl, toUrl } from '../bookmarks/url.js'

/** The form for a card, as typed. */
export interface CardForm {
  readonly title: string
  readonly url: string
  readonly tags: string
  readonly note: string
}

/** What a person changed of a card; what is absent stays as it is, whoever wrote it. */
export interface CardChange {
  readonly title?: string
  /** Null takes the address away. */
  readonly url?: string | null
  readonly note?: string
  readonly addTags?: readonly string[]
  readonly removeTags?: readonly string[]
}

/** What a form means, tidied. */
export interface CardValues {
  readonly title: string
  readonly url: string | undefined
  readonly tags: readonly string[]
  readonly note: string
}

export const EMPTY_FORM: CardForm = { title: '', url: '', tags: '', note: '' }

export function toForm({ title, url, tags, note }: CardValues): CardForm {
  return { title, url: url ?? '', tags: tags.join(', '), note }
}

/** The values of `form`, or by field what a person has to put right. */
export function readForm(
  form: CardForm,
  knownTags: Iterable<string>,
): { readonly values: CardValues } | { readonly problems: Partial<CardForm> } {
  const url = toUrl(form.url)
  if (url === undefined && form.url.trim() !== '') {
    return { problems: { url: 'This is not a web address. It should look like example.com/page.' } }
  }
  const title = form.title.trim() || (url === undefined ? '' : titleFromUrl(url))
  if (title === '') return { problems: { title: 'Give it a title or an address.' } }
  const tags = createSpelling(knownTags)(toTags(form.tags))
  return { values: { title, url, tags, note: form.note.trim() } }
}

/** The fields that may hold a conflict. */
export type TextField = 'title' | 'url' | 'note'

/**
 * What is different between two states of a form. Only that is written, so that a field which somebody
 * else has changed meanwhile, and this person hasn't, keeps what they wrote. `chosen` fields are written
 * although they are the same: that settles their conflict.
 */
export function changesBetween(
  before: CardValues,
  after: CardValues,
  chosen: ReadonlySet<TextField> = new Set(),
): CardChange {
  const wants = (field: TextField) => chosen.has(field) || after[field] !== before[field]
  const addTags = after.tags.filter((tag) => !before.tags.includes(tag))
  const removeTags = before.tags.filter((tag) => !after.tags.includes(tag))
  return {
    ...(wants('title') ? { title: after.title } : {}),
    ...(wants('url') ? { url: after.url ?? null } : {}),
    ...(wants('note') ? { note: after.note } : {}),
    ...(addTags.length === 0 ? {} : { addTags }),
    ...(removeTags.length === 0 ? {} : { removeTags }),
  }
}

/** Another card with the address that is in the form. */
export function findSameUrl<
  Card extends { readonly id: string } & Pick<CardValues, 'url' | 'title'>,
>(cards: readonly Card[], form: CardForm, id: string | undefined): Card | undefined {
  const url = toUrl(form.url)
  if (url === undefined) return undefined
  const key = bookmarkKey({ url, title: '' })
  return cards.find((card) => card.id !== id && card.url !== undefined && bookmarkKey(card) === key)
}
