import type { Readable } from '@tidemark/core'
import type { AnyStore } from './store-context.js'

/** Why something could not be read or synchronised. Branch on `code`, show `message`. */
export interface ReadError {
  readonly code: string
  readonly message: string
}

/** `store.ready` as a state, so that it can be read while rendering. */
export type Readiness =
  | { readonly phase: 'loading' }
  | { readonly phase: 'ready' }
  | { readonly phase: 'failed'; readonly error: ReadError }

export const LOADING: Readiness = { phase: 'loading' }
const READY: Readiness = { phase: 'ready' }

const readiness = new WeakMap<AnyStore, Readable<Readiness>>()

/** How far `store` is with loading its local data. One value a store, however many hooks ask. */
export function readinessOf(store: AnyStore): Readable<Readiness> {
  let readable = readiness.get(store)
  if (readable === undefined) {
    readable = watchReady(store.ready)
    readiness.set(store, readable)
  }
  return readable
}

function watchReady(ready: Promise<void>): Readable<Readiness> {
  const listeners = new Set<(value: Readiness) => void>()
  let current = LOADING
  const settle = (next: Readiness) => {
    current = next
    for (const listener of [...listeners]) listener(next)
    listeners.clear()
  }
  ready.then(
    () => settle(READY),
    (error: unknown) => settle({ phase: 'failed', error: toReadError(error) }),
  )
  return {
    get current() {
      return current
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function toReadError(error: unknown): ReadError {
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'storage-failed'
  return { code, message }
}
