import { SyncBadge } from '@tidemark/react'
import { type JSX, memo } from 'react'
import { hostOf, isOpenable } from '../bookmarks/url.js'
import type { Card } from '../store.js'
import { Icon } from './icons.js'
import { Monogram } from './monogram.js'

export interface CardItemProps {
  readonly card: Card
  /** The one card of the list that the Tab key reaches. */
  readonly isActive: boolean
  readonly onEdit: (id: string) => void
  readonly onRemove: (card: Card) => void
  readonly onTag: (tag: string) => void
}

/** Drawn again only when its card changes: rows keep their identity until then. */
export const CardItem = memo(CardItemView)

function CardItemView({ card, isActive, onEdit, onRemove, onTag }: CardItemProps): JSX.Element {
  const { id, title, url, note, tags, addedAt } = card
  const tabIndex = isActive ? 0 : -1
  const host = url === undefined ? '' : hostOf(url)
  const conflicts = Object.keys(card.$conflicts).length
  return (
    <article className="card" data-testid="card" data-id={id}>
      <Monogram name={host === '' ? title : host} />
      <div className="card-body">
        <h2 className="card-title">
          {url !== undefined && isOpenable(url) ? (
            <a href={url} target="_blank" rel="noreferrer" tabIndex={tabIndex}>
              {title}
            </a>
          ) : (
            <button type="button" tabIndex={tabIndex} onClick={() => onEdit(id)}>
              {title}
            </button>
          )}
        </h2>
        <div className="card-meta">
          {host !== '' && <span className="card-host">{host}</span>}
          <time dateTime={isoDate(addedAt)}>{shortDate(addedAt)}</time>
          {tags.length > 0 && (
            <ul className="card-tags" aria-label="Tagged">
              {tags.map((tag) => (
                <li key={tag}>
                  <button type="button" tabIndex={tabIndex} onClick={() => onTag(tag)}>
                    {tag}
                  </button>
                </li>
              ))}
            </ul>
          )}
        </div>
        {note !== '' && <p className="card-note">{note}</p>}
        {conflicts > 0 && (
          <button
            type="button"
            className="card-conflict"
            tabIndex={tabIndex}
            onClick={() => onEdit(id)}
          >
            Changed in two places – compare
          </button>
        )}
      </div>
      <div className="card-side">
        <div className="card-actions">
          <button
            type="button"
            className="button button-icon"
            aria-label={`Edit ${title}`}
            tabIndex={tabIndex}
            onClick={() => onEdit(id)}
          >
            <Icon name="edit" />
          </button>
          <button
            type="button"
            className="button button-icon card-remove"
            aria-label={`Delete ${title}`}
            tabIndex={tabIndex}
            onClick={() => onRemove(card)}
          >
            <Icon name="remove" />
          </button>
        </div>
        <SyncBadge status={card.$status} error={card.$error} />
      </div>
    </article>
  )
}

const thisYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const otherYear = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
})

function shortDate(time: number): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return ''
  const format = date.getFullYear() === new Date().getFullYear() ? thisYear : otherYear
  return format.format(date)
}

function isoDate(time: number): string | undefined {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
