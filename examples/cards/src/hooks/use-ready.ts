import { useEffect, useState } from 'react'
import type { CardsStore } from '../store.js'

export type Readiness =
  | { readonly phase: 'loading' }
  | { readonly phase: 'ready' }
  | { readonly phase: 'failed'; readonly error: unknown }

/** How far the store is with loading what is on this device. Never waits for the network. */
export function useReady(store: CardsStore): Readiness {
  const [readiness, setReadiness] = useState<Readiness>({ phase: 'loading' })
  useEffect(() => {
    let current = true
    store.ready.then(
      () => current && setReadiness({ phase: 'ready' }),
      (error: unknown) => current && setReadiness({ phase: 'failed', error }),
    )
    return () => {
      current = false
    }
  }, [store])
  return readiness
}
