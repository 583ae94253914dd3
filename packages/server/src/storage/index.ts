/**
 * Where the relay keeps what it has acknowledged: the port, its contract, and two storages that keep it. What a
 * storage must do is tested by one contract suite that runs against both.
 * May import `errors.ts`, libsql, lib0 and Node. Knows nothing of the relay, of sockets, or of what is in an update.
 */
export {
  createMemoryDisk,
  createMemoryStorage,
  type MemoryDisk,
  type MemoryStorageOptions,
} from './memory-storage.js'
export type {
  ClientBinding,
  EntityHead,
  EntityPage,
  EntityRef,
  PageLimits,
  RelayStorage,
  RelayTransaction,
  StorageTotals,
  StoredEntity,
  StoredOperation,
  Tombstone,
} from './port.js'
export { openSqliteStorage, type SqliteStorageOptions } from './sqlite-storage.js'
