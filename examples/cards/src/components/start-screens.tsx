import { isTidemarkError } from '@tidemark/core'
import { Component, type JSX, type ReactNode } from 'react'

/** Stays invisible for the moment that loading usually takes. */
export function LoadingScreen(): JSX.Element {
  return (
    <main className="start-screen start-screen-loading" aria-busy="true">
      <p role="status">Opening your bookmarks…</p>
    </main>
  )
}

/** What went wrong when there is nothing else to show, and what can be done. */
export function FailureScreen({ error }: { readonly error: unknown }): JSX.Element {
  const storage = isTidemarkError(error) && error.code === 'storage-failed'
  const message = error instanceof Error ? error.message : String(error)
  return (
    <main className="start-screen" role="alert">
      <h1>{storage ? 'Your bookmarks can’t be opened' : 'Something went wrong'}</h1>
      {storage ? (
        <>
          <p>This browser doesn’t let the page use its storage. Nothing has been deleted.</p>
          <ul>
            <li>Close other tabs of this page, then reload: one may hold an older version open.</li>
            <li>In a private window, storage may be switched off. Use a normal one.</li>
            <li>Check that the device has free space, and that site data isn’t blocked.</li>
          </ul>
        </>
      ) : (
        <p>What you saved is still on this device. Reloading usually helps.</p>
      )}
      <button type="button" className="button button-primary" onClick={() => location.reload()}>
        Reload
      </button>
      <details>
        <summary>What the browser says</summary>
        <p>{message}</p>
      </details>
    </main>
  )
}

interface BoundaryState {
  readonly failure: { readonly error: unknown } | undefined
}

/** Shows the failure screen instead of an empty page when drawing fails. */
export class FailureBoundary extends Component<{ readonly children: ReactNode }, BoundaryState> {
  override state: BoundaryState = { failure: undefined }

  static getDerivedStateFromError(error: unknown): BoundaryState {
    return { failure: { error } }
  }

  override render(): ReactNode {
    const { failure } = this.state
    return failure === undefined ? this.props.children : <FailureScreen error={failure.error} />
  }
}
