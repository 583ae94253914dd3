import type { JSX } from 'react'
import { mostUsed, type TagCount } from '../bookmarks/tags.js'
import type { View } from '../library/view.js'

export interface TagListProps {
  readonly tags: readonly TagCount[]
  readonly total: number
  readonly untagged: number
  readonly selected: View['tag']
  readonly onSelect: (tag: View['tag']) => void
}

/** All tags with how often they are used, one of them chosen: the sidebar. */
export function TagList(props: TagListProps): JSX.Element {
  const { tags, total, untagged, selected, onSelect } = props
  const entry = (label: string, value: View['tag'], count: number, key = label) => (
    <li key={key}>
      <button
        type="button"
        className="tag-entry"
        aria-pressed={selected === value}
        onClick={() => onSelect(selected === value ? undefined : value)}
      >
        <span className="tag-entry-name">{label}</span>
        <span className="tag-entry-count">{count.toLocaleString()}</span>
      </button>
    </li>
  )
  return (
    <nav className="tag-list" aria-label="Filter">
      <ul>
        {entry('All bookmarks', undefined, total, 'all')}
        {untagged > 0 && tags.length > 0 && entry('Without a tag', null, untagged, 'none')}
      </ul>
      {tags.length > 0 && <h2 className="tag-list-heading">Tags</h2>}
      <ul>{tags.map(({ tag, count }) => entry(tag, tag, count, `tag ${tag}`))}</ul>
    </nav>
  )
}

/** How many tags stand in the row of a narrow page; the drawer has all of them. */
const CHIPS = 12

/** The most used tags in one row, for a narrow page. */
export function TagChips({ tags, selected, onSelect }: TagListProps): JSX.Element | null {
  if (tags.length === 0) return null
  const shown = mostUsed(tags, CHIPS)
  // What is chosen has to be seen, also when it is a rare one from the drawer.
  const rare = tags.find(({ tag }) => tag === selected)
  if (rare !== undefined && !shown.includes(rare)) shown.unshift(rare)
  return (
    <nav className="tag-chips" aria-label="Quick filter">
      <ul>
        {shown.map(({ tag, count }) => (
          <li key={tag}>
            <button
              type="button"
              className="chip"
              aria-pressed={selected === tag}
              onClick={() => onSelect(selected === tag ? undefined : tag)}
            >
              {tag} <span className="chip-count">{count.toLocaleString()}</span>
            </button>
          </li>
        ))}
      </ul>
    </nav>
  )
}
