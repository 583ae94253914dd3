/**
 * Tells each listener that is still there when its turn comes. What a listener throws is the app's bug: it surfaces as an
 * uncaught error, and the others are told all the same (reliability B19).
 */
export function notify<T>(listeners: ReadonlySet<(value: T) => void>, value: T): void {
  for (const listener of [...listeners]) {
    if (!listeners.has(listener)) continue
    try {
      listener(value)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}
