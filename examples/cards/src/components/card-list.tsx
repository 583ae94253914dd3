import { defaultRangeExtractor, type Range, useWindowVirtualizer } from '@tanstack/react-virtual'
import {
  type FocusEvent,
  type JSX,
  type Ref,
  useCallback,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import type { Card } from '../store.js'
import { CardItem } from './card-item.js'

/** What the keyboard and other parts of the page do with the list. */
export interface CardListHandle {
  /** Moves the focus by so many cards; to the active one if the focus is elsewhere. */
  move(by: number): void
  moveTo(end: 'first' | 'last'): void
  /** Moves the focus to a card. False if it isn't in the list. */
  show(id: string): boolean
  /** Removes a card and moves the focus to its neighbour. */
  remove(card: Card): void
  /** The card that has the focus. */
  readonly focused: Card | undefined
}

export interface CardListProps {
  readonly ref: Ref<CardListHandle>
  readonly cards: readonly Card[]
  readonly onEdit: (id: string) => void
  readonly onRemove: (card: Card) => void
  readonly onTag: (tag: string) => void
}

/** What the sticky toolbar and the indicator cover, in pixels. */
const COVERED_ABOVE = 80
const COVERED_BELOW = 72

/**
 * Thousands of cards, of which those on the screen exist. For the Tab key the list is one stop with one
 * active card: Tab goes through that card's buttons and on, the arrow keys go from card to card.
 */
export function CardList({ ref, cards, onEdit, onRemove, onTag }: CardListProps): JSX.Element {
  const list = useRef<HTMLUListElement>(null)
  const margin = useDistanceFromTop(list)
  /** A new object for each request, so that asking twice for the same card is a change too. */
  const [active, setActive] = useState<{ readonly id: string | undefined }>({ id: undefined })
  const wantsFocus = useRef(false)

  const found = cards.findIndex(({ id }) => id === active.id)
  const activeIndex = Math.max(found, 0)

  const virtualizer = useWindowVirtualizer({
    count: cards.length,
    estimateSize: () => 78,
    overscan: 8,
    scrollMargin: margin,
    scrollPaddingStart: COVERED_ABOVE,
    scrollPaddingEnd: COVERED_BELOW,
    // React draws in the frame of the scroll event anyway; flushing would warn inside of effects.
    useFlushSync: false,
    getItemKey: useCallback((index: number) => cards[index]?.id ?? index, [cards]),
    // The active card stays, wherever one scrolls: it may have the focus.
    rangeExtractor: useCallback(
      (range: Range) => {
        const shown = defaultRangeExtractor(range)
        if (activeIndex >= range.count || shown.includes(activeIndex)) return shown
        return [...shown, activeIndex].sort((a, b) => a - b)
      },
      [activeIndex],
    ),
  })

  function focusAt(index: number): void {
    const card = cards[index]
    if (card === undefined) return
    wantsFocus.current = true
    setActive({ id: card.id })
    // Of the first card one wants to see what stands above it, too.
    if (index === 0) window.scrollTo({ top: 0 })
    else virtualizer.scrollToIndex(index, { align: 'auto' })
  }

  useLayoutEffect(() => {
    if (!wantsFocus.current || active.id === undefined) return
    const title = list.current?.querySelector<HTMLElement>(
      `[data-id="${CSS.escape(active.id)}"] .card-title > *`,
    )
    if (title === null || title === undefined) return
    wantsFocus.current = false
    title.focus({ preventScroll: true })
  })

  const hasFocus = () => list.current?.contains(document.activeElement) ?? false

  function removeAndMoveOn(card: Card): void {
    const index = cards.findIndex(({ id }) => id === card.id)
    const neighbour = cards[index + 1] ?? cards[index - 1]
    if (neighbour !== undefined) {
      wantsFocus.current = true
      setActive({ id: neighbour.id })
    }
    onRemove(card)
  }
  const remove = useEvent(removeAndMoveOn)

  useImperativeHandle(ref, () => ({
    move(by) {
      const next = hasFocus() ? activeIndex + by : activeIndex
      focusAt(Math.min(Math.max(next, 0), cards.length - 1))
    },
    moveTo: (end) => focusAt(end === 'first' ? 0 : cards.length - 1),
    show(id) {
      const index = cards.findIndex((card) => card.id === id)
      focusAt(index)
      return index >= 0
    },
    remove,
    get focused() {
      return hasFocus() ? cards[activeIndex] : undefined
    },
  }))

  function onFocus(event: FocusEvent<HTMLElement>): void {
    const id = event.target.closest<HTMLElement>('[data-id]')?.dataset['id']
    if (id !== undefined && id !== active.id) setActive({ id })
  }

  return (
    <ul
      ref={list}
      className="card-list"
      style={{ height: virtualizer.getTotalSize() }}
      onFocus={onFocus}
    >
      {virtualizer.getVirtualItems().map(({ index, key, start }) => {
        const card = cards[index]
        return card === undefined ? null : (
          <li
            key={key}
            ref={virtualizer.measureElement}
            data-index={index}
            aria-posinset={index + 1}
            aria-setsize={cards.length}
            style={{ transform: `translateY(${start - margin}px)` }}
          >
            <CardItem
              card={card}
              isActive={index === activeIndex}
              onEdit={onEdit}
              onRemove={remove}
              onTag={onTag}
            />
          </li>
        )
      })}
    </ul>
  )
}

/** A function that stays the same and does what the latest `handler` does. */
function useEvent<Argument>(handler: (argument: Argument) => void): (argument: Argument) => void {
  const latest = useRef(handler)
  useLayoutEffect(() => {
    latest.current = handler
  })
  return useCallback((argument: Argument) => latest.current(argument), [])
}

/** In pixels of the document; follows what appears and goes above the element. */
function useDistanceFromTop(element: { readonly current: HTMLElement | null }): number {
  const [distance, setDistance] = useState(0)
  useLayoutEffect(() => {
    const measure = () => {
      const top = element.current?.getBoundingClientRect().top
      if (top !== undefined) setDistance(Math.round(top + window.scrollY))
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(document.body)
    return () => observer.disconnect()
  }, [element])
  return distance
}
