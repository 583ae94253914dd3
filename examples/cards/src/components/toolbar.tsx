import type { JSX, KeyboardEvent, RefObject } from 'react'
import type { SortOrder, View } from '../library/view.js'
import { Icon } from './icons.js'

export interface ToolbarProps {
  readonly view: View
  readonly onView: (change: Partial<View>) => void
  readonly searchField: RefObject<HTMLInputElement | null>
  readonly onAdd: () => void
  readonly onMenu: () => void
  /** From the search field down into the list. */
  readonly onEnterList: () => void
}

export function Toolbar(props: ToolbarProps): JSX.Element {
  const { view, onView, searchField, onAdd, onMenu, onEnterList } = props

  function onKeyDown(event: KeyboardEvent<HTMLInputElement>): void {
    if (event.nativeEvent.isComposing) return
    if (event.key === 'Escape' && view.search !== '') onView({ search: '' })
    else if (event.key === 'Escape') event.currentTarget.blur()
    else if (event.key === 'ArrowDown' || event.key === 'Enter') onEnterList()
    else return
    event.preventDefault()
  }

  return (
    <header className="toolbar">
      <button
        type="button"
        className="button button-icon toolbar-menu"
        aria-label="Menu"
        onClick={onMenu}
      >
        <Icon name="menu" />
      </button>
      <div className="search">
        <Icon name="search" />
        <input
          ref={searchField}
          type="search"
          data-testid="search"
          aria-label="Search bookmarks"
          aria-keyshortcuts="/ Control+K Meta+K"
          placeholder="Search"
          autoComplete="off"
          spellCheck={false}
          value={view.search}
          onChange={(event) => onView({ search: event.target.value })}
          onKeyDown={onKeyDown}
        />
        <span className="key" aria-hidden="true">
          /
        </span>
      </div>
      <div className="sort">
        <select
          aria-label="Sort by"
          value={view.sort}
          onChange={(event) => onView({ sort: event.target.value as SortOrder })}
        >
          <option value="newest">Newest</option>
          <option value="title">Title</option>
        </select>
      </div>
      <button
        type="button"
        className="button button-primary toolbar-add"
        aria-label="Add"
        data-testid="add-card"
        onClick={onAdd}
      >
        <Icon name="add" />
        <span>Add</span>
      </button>
    </header>
  )
}
