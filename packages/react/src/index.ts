'use client'

/**
 * React for Tidemark: hooks that read a store, and small components that show whether it is safe.
 *
 * `hooks/` knows the store's interface only (types of core, none of its code); `components/` is built
 * on the hooks. Nothing in here writes to a store by itself.
 */
export {
  GlobalSyncIndicator,
  type GlobalSyncIndicatorLabels,
  type GlobalSyncIndicatorProps,
  type GlobalSyncState,
  SyncBadge,
  type SyncBadgeLabels,
  type SyncBadgeProps,
} from './components/index.js'
export {
  type AnyStore,
  type EntityResult,
  type LiveQueryResult,
  type OperationsResult,
  type PresenceResult,
  type ReadError,
  type SteadyStatus,
  StoreProvider,
  type StoreProviderProps,
  useEntity,
  useLiveQuery,
  useOperations,
  usePresence,
  useSteadyStatus,
  useStore,
  useSyncStatus,
} from './hooks/index.js'
