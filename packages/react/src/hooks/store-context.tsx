import type { Collections, Store, StoreBase } from '@tidemark/core'
import { createContext, type JSX, type ReactNode, useContext } from 'react'

/** A store of any schema. */
export type AnyStore = StoreBase<Collections>

const StoreContext = createContext<AnyStore | undefined>(undefined)

export interface StoreProviderProps {
  readonly store: AnyStore
  readonly children?: ReactNode
}

/**
 * Hands a store to the hooks and components below it. The provider neither opens nor closes the
 * store: create it once, outside of React.
 */
export function StoreProvider({ store, children }: StoreProviderProps): JSX.Element {
  return <StoreContext.Provider value={store}>{children}</StoreContext.Provider>
}

/**
 * The store of the nearest provider. The type can't be checked here; name it:
 * `useStore<typeof store>()`.
 *
 * @throws Error when there is no provider above.
 */
export function useStore<S extends AnyStore = Store>(): S {
  const store = useContext(StoreContext)
  if (store === undefined) {
    throw new Error(
      'There is no Tidemark store here, because no <StoreProvider> is above this component. ' +
        'Wrap the app in <StoreProvider store={store}>, with the store that createStore() gave you.',
    )
  }
  return store as S
}
