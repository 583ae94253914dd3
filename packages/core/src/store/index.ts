/**
 * The store: what an app holds. Puts the parts together; may import all of core but `node`.
 */
export { createStore } from './create-store.js'
export type { Auth, AuthRequest } from './options.js'
export { createStoreOn, type StoreOptions } from './store.js'
export type {
  CollectionHandle,
  CollectionTransaction,
  OpenDocument,
  OperationHandle,
  Operations,
  Snapshot,
  Snapshots,
  Store,
  StoreBase,
  StoreStatus,
  Transaction,
  TransactionHandle,
} from './types.js'
