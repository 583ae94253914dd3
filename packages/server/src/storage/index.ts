/**
 * Where the relay keeps what it has acknowledged: the port, its contract, and two storages that keep it. What a
 * storage must do is tested by one contract suite that runs against both.
 * May import `errors.ts`, libsql, lib0 and Node. Knows nothing of the relay, of sockets, or of what is in an update.
 */
export { decodeClientBindings, encodeClientBindings } from './client-bindings.js'
export {
  DATABASE_FILE,
  RESTORED_FILE,
  syncDirectory,
  syncFile,
} from './data-directory.js'
export { lockDataDirectory, lockFile } from './data-lock.js'
export {
  COUNTED_ENTITIES,
  type DatabasePages,
  type EntityLine,
  type OperationLine,
  pageThrough,
} from './database-pages.js'
export { closeReader, openDatabaseReader, openReadOnly, sizeOf } from './database-reader.js'
export {
  type DatabaseScan,
  type ScannedEntity,
  type SpaceSummary,
  scanDatabase,
} from './database-scan.js'
export { countOperationsOf, forgetAuthor } from './forget-author.js'
export { type MaintenanceStorage, openForMaintenance } from './maintenance-storage.js'
export {
  createMemoryDisk,
  createMemoryStorage,
  type MemoryDisk,
  type MemoryStorageOptions,
} from './memory-storage.js'
export { beginEpoch, NOWHERE, readMeta, settlePlace, writeMeta } from './place.js'
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
export { readPragma, type SqliteDatabase } from './sqlite-database.js'
export { openSqliteStorage, type SqliteStorageOptions } from './sqlite-storage.js'
