import type {
  CollectionHandle,
  EntityRow,
  EntityStatus,
  Fields,
  Readable,
  StoreStatus,
} from '@tidemark/core'
import { useCallback, useMemo } from 'react'
import { LOADING, type ReadError, readinessOf } from './readiness.js'
import { useStore } from './store-context.js'
import { useReadable } from './use-readable.js'
import { useSyncStatus } from './use-sync-status.js'

/** One entity as a component sees it. */
export interface EntityResult<F extends Fields = Fields> {
  /** Frozen, the same object until it changes; `undefined` when missing, deleted or not loaded yet. */
  readonly data: EntityRow<F> | undefined
  /** Local data is still being loaded and there is nothing to show yet. Never waits for the network. */
  readonly isLoading: boolean
  /** The store is connecting: what is shown may be about to be replaced by something newer. */
  readonly isFetching: boolean
  /** How safe the entity is; `undefined` when there is none. */
  readonly syncStatus: EntityStatus | undefined
  /** What is shown holds changes that the relay has not confirmed. */
  readonly isOptimistic: boolean
  /** Why an operation on the entity failed, or why local data could not be loaded. */
  readonly error: ReadError | undefined
  /**
   * Resolves once local data is loaded, and fetches nothing: a collection that is backed by the relay
   * is pushed every change as it happens, so there is nothing to ask for.
   *
   * @throws TidemarkError `storage-failed`
   */
  readonly refetch: () => Promise<void>
}

const NOTHING: Readable<undefined> = { current: undefined, subscribe: () => () => {} }

const isConnecting = (status: StoreStatus): boolean => status.connection === 'connecting'

/**
 * One entity, live. Renders again when this entity changes, and not for any other.
 *
 * @param collection a collection of the provider's store: `store.cards`.
 * @param id `undefined` while it is not known which entity to show; nothing is loading then.
 */
export function useEntity<F extends Fields>(
  collection: CollectionHandle<F>,
  id: string | undefined,
): EntityResult<F> {
  const store = useStore()
  const entity = useMemo(
    (): Readable<EntityRow<F> | undefined> => (id === undefined ? NOTHING : collection.watch(id)),
    [collection, id],
  )
  const data = useReadable(entity, undefined)
  const readiness = useReadable(readinessOf(store), LOADING)
  const isFetching = useSyncStatus(isConnecting)
  const refetch = useCallback(() => store.ready, [store])

  return useMemo(() => {
    const syncStatus = data?.$status
    return {
      data,
      isLoading: id !== undefined && data === undefined && readiness.phase === 'loading',
      isFetching,
      syncStatus,
      isOptimistic: syncStatus === 'pending' || syncStatus === 'syncing',
      error: data?.$error ?? (readiness.phase === 'failed' ? readiness.error : undefined),
      refetch,
    }
  }, [id, data, readiness, isFetching, refetch])
}
