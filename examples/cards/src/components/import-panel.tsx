import type { CSSProperties, JSX } from 'react'
import type { ImportProgress } from '../bookmarks/run-import.js'
import { type Import, isRunning } from '../hooks/use-import.js'

export type ImportPanelProps = Pick<Import, 'cancel' | 'dismiss'> & {
  readonly progress: ImportProgress
}

/** How far the import is, and what came of it. */
export function ImportPanel({ progress, cancel, dismiss }: ImportPanelProps): JSX.Element {
  const { phase, total, added, saved, synced, failed } = progress
  const running = isRunning(progress)
  const share = (count: number) => (total === 0 ? 0 : count / total)
  return (
    <section
      className="import"
      aria-label="Import"
      data-testid="import-progress"
      data-phase={phase}
      data-added={added}
      data-saved={saved}
      data-synced={synced}
    >
      <header>
        <div role="status">
          <h2>{headline(progress)}</h2>
        </div>
        {running ? (
          <button type="button" className="button" onClick={cancel}>
            Cancel
          </button>
        ) : (
          <button type="button" className="button" onClick={dismiss}>
            Close
          </button>
        )}
      </header>
      {phase !== 'failed' && (total > 0 || running) && (
        <>
          <div
            className="import-bar"
            role="progressbar"
            aria-label="Imported"
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round((phase === 'reading' ? progress.read : share(saved)) * 100)}
          >
            <Fill kind="added" share={phase === 'reading' ? progress.read : share(added)} />
            <Fill kind="saved" share={share(saved)} />
            <Fill kind="synced" share={share(synced)} />
          </div>
          <dl className="import-counts">
            <Count name="Read" count={progress.found} />
            <Count name="Added" count={added} of={total} />
            <Count name="On this device" count={saved} of={total} />
            <Count name="Synced" count={synced} of={total} />
          </dl>
        </>
      )}
      <ul className="import-notes">
        {notes(progress).map((note) => (
          <li key={note}>{note}</li>
        ))}
        {failed > 0 && (
          <li data-problem="true">
            {failed === 1 ? 'One' : n(failed)} could not be saved: {progress.problem}
          </li>
        )}
      </ul>
    </section>
  )
}

function Fill({ kind, share }: { readonly kind: string; readonly share: number }): JSX.Element {
  return <span data-kind={kind} style={{ '--share': share } as CSSProperties} />
}

interface CountProps {
  readonly name: string
  readonly count: number
  readonly of?: number
}

function Count({ name, count, of }: CountProps): JSX.Element {
  return (
    <div data-complete={of !== undefined && of > 0 && count === of}>
      <dt>{name}</dt>
      <dd>{n(count)}</dd>
    </div>
  )
}

function headline({ phase, fileName, saved, total, existing, failed }: ImportProgress): string {
  switch (phase) {
    case 'reading':
      return `Reading ${fileName}…`
    case 'adding':
    case 'saving':
      return `Importing ${bookmarks(total)}…`
    case 'done':
      if (total === 0 && existing > 0) return 'Nothing new: all of these bookmarks are here already'
      return `${bookmarks(saved)} imported`
    case 'cancelled':
      return saved === 0
        ? 'Import cancelled. Nothing was added.'
        : `Import cancelled. ${bookmarks(saved)} had been added and stay.`
    case 'failed':
      return failed > 0 ? 'Nothing could be imported' : `${fileName} can’t be imported`
  }
}

function notes(progress: ImportProgress): string[] {
  const { phase, failed, problem, existing, repeated, skipped, truncated } = progress
  if (phase === 'failed' && failed === 0) return [problem ?? 'The file could not be read.']
  if (phase === 'reading' || phase === 'failed') return []
  const lines: string[] = []
  if (existing > 0) lines.push(`${bookmarks(existing)} skipped: here already.`)
  if (repeated > 0) {
    lines.push(`${bookmarks(repeated)} merged: the same address stands in the file more than once.`)
  }
  const left = [...skipped.values()].reduce((sum, count) => sum + count, 0)
  if (left > 0) {
    const kinds = [...skipped.keys()].map((scheme) => (scheme === '' ? 'no address' : `${scheme}:`))
    lines.push(`${n(left)} skipped that a web page can’t open (${kinds.join(', ')}).`)
  }
  if (truncated) lines.push('The file ends early; what is in it was read.')
  return lines
}

function bookmarks(count: number): string {
  return count === 1 ? '1 bookmark' : `${n(count)} bookmarks`
}

function n(count: number): string {
  return count.toLocaleString()
}
