import { notify, type Readable } from '../query/index.js'

/** Listeners of one value, told at most once a task. */
export interface Observers {
  /** Something may have changed. */
  touch(): void
  subscribe(listener: () => void): () => void
}

export function createObservers(): Observers {
  const listeners = new Set<() => void>()
  let scheduled = false
  return {
    touch() {
      if (scheduled || listeners.size === 0) return
      scheduled = true
      queueMicrotask(() => {
        scheduled = false
        notify<void>(listeners, undefined)
      })
    },
    subscribe(listener) {
      const own = (): void => listener()
      listeners.add(own)
      return () => listeners.delete(own)
    },
  }
}

/** A readable whose value is derived from state elsewhere: computed when asked, told when it differs. */
export function derive<T>(
  compute: () => T,
  same: (a: T, b: T) => boolean,
  observers: Pick<Observers, 'subscribe'>,
): Readable<T> {
  let value: T
  let known = false

  function read(): T {
    const next = compute()
    if (!known || !same(value, next)) {
      value = next
      known = true
    }
    return value
  }

  return {
    get current() {
      return read()
    },
    subscribe(listener) {
      let told = read()
      return observers.subscribe(() => {
        const next = read()
        if (next === told) return
        told = next
        listener(next)
      })
    },
  }
}
