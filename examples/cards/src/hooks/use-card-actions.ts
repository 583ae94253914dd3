import { isTidemarkError } from '@tidemark/core'
import { useStore } from '@tidemark/react'
import { useEffect, useMemo, useRef } from 'react'
import { toast } from 'sonner'
import type { Bookmark } from '../bookmarks/bookmark.js'
import { bookmarkKey } from '../bookmarks/plan-import.js'
import { titleFromUrl } from '../bookmarks/url.js'
import { EXAMPLES } from '../library/examples.js'
import type { CardChange } from '../library/form.js'
import type { Card, CardsStore } from '../store.js'

export interface CardActions {
  add(bookmark: Bookmark): string
  addExamples(): void
  /** Adds a page by its address alone, unless it is here. */
  addUrl(url: string): void
  change(id: string, change: CardChange): void
  /** Deletes, and offers to undo it. */
  remove(card: Pick<Card, 'id' | 'title'>): void
  /** Brings back what was deleted last; repeated, what was deleted before that. */
  undoRemove(): void
}

/** Every write of the app, with what it says to the person. `onShow` shows a card. */
export function useCardActions(onShow: (id: string) => void): CardActions {
  const store = useStore<CardsStore>()
  const removed = useRef<string[]>([])
  const show = useRef(onShow)
  useEffect(() => {
    show.current = onShow
  })
  return useMemo(() => {
    const { cards } = store
    const add = (bookmark: Bookmark) => cards.insert(toInput(bookmark)).entity.id
    const restore = (id: string) => {
      removed.current = removed.current.filter((other) => other !== id)
      toast.dismiss(id)
      attempt(() => cards.restore(id))
    }

    return {
      add,
      addExamples() {
        const now = Date.now()
        store.transact((transaction) => {
          EXAMPLES.forEach((bookmark, index) => {
            // A day and a bit apart, so that they look like a collection and sort as they stand.
            transaction.cards.insert(toInput({ ...bookmark, addedAt: now - index * 93_600_000 }))
          })
        })
      },
      addUrl(url) {
        const key = bookmarkKey({ url, title: '' })
        const present = cards.query().current.find((card) => bookmarkKey(card) === key)
        if (present !== undefined) {
          toast('You have this already', {
            description: present.title,
            action: { label: 'Show', onClick: () => show.current(present.id) },
          })
          return
        }
        const title = titleFromUrl(url)
        const id = add({ title, url, note: '', tags: [] })
        toast('Bookmark added', {
          description: title,
          action: { label: 'Edit', onClick: () => show.current(id) },
        })
      },
      change(id, change) {
        attempt(() =>
          store.transact((transaction) => {
            // Deleted on another device while it was edited here: saving says that it is wanted.
            if (transaction.cards.get(id) === undefined) transaction.cards.restore(id)
            transaction.cards.update(id, (draft) => {
              if (change.title !== undefined) draft.title = change.title
              if (change.url !== undefined) draft.url = change.url ?? undefined
              if (change.note !== undefined) draft.note = change.note
              for (const tag of change.removeTags ?? []) draft.tags.delete(tag)
              for (const tag of change.addTags ?? []) draft.tags.add(tag)
            })
          }),
        )
      },
      remove({ id, title }) {
        if (!attempt(() => cards.delete(id))) return
        removed.current.push(id)
        toast('Bookmark deleted', {
          id,
          description: title,
          duration: 8000,
          action: { label: 'Undo', onClick: () => restore(id) },
        })
      },
      undoRemove() {
        const id = removed.current.at(-1)
        if (id !== undefined) restore(id)
      },
    }
  }, [store])
}

function toInput({ title, url, note, tags, addedAt }: Bookmark) {
  return { title, url, note, tags, addedAt: addedAt ?? Date.now() }
}

/** Runs a write; a refusal is said in words. */
function attempt(write: () => unknown): boolean {
  try {
    write()
    return true
  } catch (error) {
    const gone = isTidemarkError(error) && error.code === 'entity-missing'
    toast.error(gone ? 'This bookmark was deleted on another device' : 'That didn’t work', {
      description: gone || !(error instanceof Error) ? undefined : error.message,
    })
    return false
  }
}
