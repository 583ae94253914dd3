import type { JSX } from 'react'
import { isFiltered, type View } from '../library/view.js'

export interface ListHeadingProps {
  readonly view: View
  readonly shown: number
  readonly total: number
  readonly onClear: () => void
}

/** What the list shows, and how much of everything that is. */
export function ListHeading({ view, shown, total, onClear }: ListHeadingProps): JSX.Element {
  const all = total.toLocaleString()
  return (
    <header className="list-heading">
      <h1>{headline(view)}</h1>
      {/* What a search finds is announced; what an import or another device adds is not. */}
      <p
        role={isFiltered(view) ? 'status' : undefined}
        data-testid="card-count"
        data-shown={shown}
        data-total={total}
      >
        {isFiltered(view) ? `${shown.toLocaleString()} of ${all}` : all}
      </p>
      {isFiltered(view) && shown > 0 && (
        <button type="button" className="button button-quiet" onClick={onClear}>
          Show all
        </button>
      )}
    </header>
  )
}

function headline({ search, tag }: View): string {
  const searched = search.trim() !== ''
  if (tag === undefined) return searched ? 'Found' : 'All bookmarks'
  const name = tag ?? 'Without a tag'
  return searched ? `Found in ${name}` : name
}
