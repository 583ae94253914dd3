import type { JSX } from 'react'
import type { View } from '../library/view.js'

export interface EmptyLibraryProps {
  readonly onAdd: () => void
  readonly onImport: () => void
  readonly onExamples: () => void
}

/** For somebody who has just arrived. */
export function EmptyLibrary({ onAdd, onImport, onExamples }: EmptyLibraryProps): JSX.Element {
  return (
    <section className="empty" data-testid="empty">
      <svg className="empty-waves" viewBox="0 0 96 40" aria-hidden="true">
        <path d="M2 10c8-8 15-8 23 0s15 8 23 0 15-8 23 0 15 8 23 0" />
        <path d="M2 21c8-8 15-8 23 0s15 8 23 0 15-8 23 0 15 8 23 0" />
        <path d="M2 32c8-8 15-8 23 0s15 8 23 0 15-8 23 0 15 8 23 0" />
      </svg>
      <h1>A quiet place for what you want to read again</h1>
      <p>
        Bookmarks live on this device first, so that everything works without a network. They sync
        to your other devices when there is one.
      </p>
      <div className="empty-actions">
        <button type="button" className="button button-primary" onClick={onImport}>
          Import from a browser…
        </button>
        <button type="button" className="button" onClick={onExamples}>
          Try twelve examples
        </button>
        <button type="button" className="button" onClick={onAdd}>
          Add one
        </button>
      </div>
      <p className="empty-hint">
        Or paste an address anywhere on this page. Browsers export a file from their bookmark
        manager: “Export bookmarks” in Chrome, “Export Bookmarks to HTML” in Firefox and Safari.
      </p>
    </section>
  )
}

export interface NothingFoundProps {
  readonly view: View
  readonly onClear: () => void
}

export function NothingFound({ view, onClear }: NothingFoundProps): JSX.Element {
  const words = view.search.trim()
  return (
    <section className="empty empty-small">
      <h2>Nothing found</h2>
      <p>
        {words === ''
          ? 'There is no bookmark here'
          : `No bookmark has “${words}” in its title, address, note or tags`}
        {typeof view.tag === 'string' && <>, among those tagged “{view.tag}”</>}.
      </p>
      <div className="empty-actions">
        <button type="button" className="button" onClick={onClear}>
          Show all bookmarks
        </button>
      </div>
    </section>
  )
}
