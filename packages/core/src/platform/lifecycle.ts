/**
 * Hints from the surroundings that something may have changed: the network is back, the tab is visible again,
 * the page was resumed. Nothing relies on them; they only make things happen sooner.
 */
export interface Lifecycle {
  subscribe(listener: () => void): () => void
  /** Calls `listener` when the page is hidden, which may be the last that it hears. */
  onHide?(listener: () => void): () => void
  /** Calls `listener` when the page goes, for ever or into the back-forward cache; `subscribe` tells when it comes back. */
  onLeave?(listener: () => void): () => void
}
