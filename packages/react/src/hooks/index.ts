/**
 * Hooks over a store. Each one reads through `useSyncExternalStore`, so that a render never mixes two
 * states of the store, and subscribes in effects only, so that a render that is thrown away leaves
 * nothing behind. May import types of core; never its code, never `components/`.
 */
export type { ReadError } from './readiness.js'
export {
  type AnyStore,
  StoreProvider,
  type StoreProviderProps,
  useStore,
} from './store-context.js'
export { type EntityResult, useEntity } from './use-entity.js'
export { type LiveQueryResult, useLiveQuery } from './use-live-query.js'
export { type OperationsResult, useOperations } from './use-operations.js'
export { type PresenceResult, usePresence } from './use-presence.js'
export { type SteadyStatus, useSteady, useSteadyStatus } from './use-steady-status.js'
export { useSyncStatus } from './use-sync-status.js'
