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
export type {
  CurrentRows,
  ReadSet,
  ReplicaMeta,
  ReplicaStorage,
  SpaceRow,
  StoredRows,
  WritePlan,
  Written,
} from './port.js'
export { NEW_SPACE } from './port.js'
