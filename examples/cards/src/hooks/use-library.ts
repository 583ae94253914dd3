import { useLiveQuery } from '@tidemark/react'
import { useDeferredValue, useMemo } from 'react'
import { countTags, type TagCount } from '../bookmarks/tags.js'
import { selectCards, type View } from '../library/view.js'
import type { Card, CardsStore } from '../store.js'

export interface Library {
  /** The cards of the view, in its order. */
  readonly cards: readonly Card[]
  /** How many there are in all. */
  readonly total: number
  readonly untagged: number
  readonly tags: readonly TagCount[]
}

/**
 * The cards, live. Typing stays smooth with thousands of them: the list follows the search, and what
 * syncs in the background, in renders that give way to the next key.
 */
export function useLibrary({ search, tag, sort }: View): Library {
  const { data } = useLiveQuery(
    ({ cards }: CardsStore) =>
      cards.query({ orderBy: sort === 'title' ? ['title', 'asc'] : ['addedAt', 'desc'] }),
    [sort],
  )
  const all = useDeferredValue(data)
  const words = useDeferredValue(search)
  const cards = useMemo(() => selectCards(all, { search: words, tag }), [all, words, tag])
  const tags = useMemo(() => countTags(all), [all])
  const untagged = useMemo(() => all.filter((card) => card.tags.length === 0).length, [all])
  return useMemo(() => ({ cards, total: all.length, untagged, tags }), [cards, all, untagged, tags])
}
