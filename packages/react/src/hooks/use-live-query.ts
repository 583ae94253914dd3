import type { LiveQuery, Store } from '@tidemark/core'
import { type DependencyList, useMemo } from 'react'
import { LOADING, type ReadError, readinessOf } from './readiness.js'
import { type AnyStore, useStore } from './store-context.js'
import { useReadable, useSelected } from './use-readable.js'

export interface LiveQueryResult<Row> {
  /** The matching rows; the same array until one of them, or their order, changes. */
  readonly data: readonly Row[]
  /** Local data is still being loaded and nothing matches yet. Never waits for the network. */
  readonly isLoading: boolean
  /** Why local data could not be loaded: then an empty result does not mean that there is nothing. */
  readonly error: ReadError | undefined
}

const NO_ROWS: readonly never[] = []

const sameRows = <Row>(rows: readonly Row[]): readonly Row[] => rows

/**
 * A query, live: `useLiveQuery(() => store.cards.query({ where: { done } }), [done])`.
 *
 * @param queryFn makes the query; handed the provider's store. Called again when `deps` change.
 * @param deps everything of the component that `queryFn` uses, as for `useMemo`.
 */
export function useLiveQuery<Row, S extends AnyStore = Store>(
  queryFn: (store: S) => LiveQuery<Row>,
  deps: DependencyList,
): LiveQueryResult<Row> {
  const store = useStore<S>()
  // biome-ignore lint/correctness/useExhaustiveDependencies: what the query depends on is the caller's to say.
  const query = useMemo(() => queryFn(store), [store, ...deps])
  const data = useSelected<readonly Row[], readonly Row[]>(query, sameRows, NO_ROWS)
  const readiness = useReadable(readinessOf(store), LOADING)

  return useMemo(
    () => ({
      data,
      isLoading: data.length === 0 && readiness.phase === 'loading',
      error: readiness.phase === 'failed' ? readiness.error : undefined,
    }),
    [data, readiness],
  )
}
