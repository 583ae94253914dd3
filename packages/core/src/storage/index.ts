/**
 * Local storage: the port, and its implementations. The only I/O of this folder is the database itself.
 * May import `replica` (the rows), `entity`, `platform` and `errors`.
 */
export { createIndexedDbStorage } from './indexeddb-storage.js'
export {
  createMemoryDisk,
  createMemoryStorage,
  type MemoryDisk,
  type MemoryStorageOptions,
} from './memory-storage.js'
export {
  type ChangedRows,
  type CurrentRows,
  isEmptyPlan,
  NEW_SPACE,
  type ReadSet,
  type ReplicaMeta,
  type ReplicaStorage,
  type SpaceRow,
  type StoredRows,
  type WritePlan,
  type Written,
} from './port.js'
