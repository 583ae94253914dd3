/**
 * The Tidemark relay: orders, validates, stores durably, acknowledges and forwards the operations of a local-first
 * store.
 *
 *     relay/    what is accepted, in which order, and who hears of it; pure, runs over ports
 *     storage/  the port to durable storage, SQLite and memory
 *     http/     the HTTP server: websockets, health, static files
 *     cli.ts    `tidemark serve`
 *
 * @module
 */
export { RelayStartError, type RelayStartErrorCode } from './errors.js'
export { createRelayServer, type RelayServer, type RelayServerOptions } from './http/index.js'
export { type Log, silentLog } from './log.js'
export {
  type Authenticate,
  type Credentials,
  createRelay,
  DEFAULT_LIMITS,
  type Limits,
  type Readiness,
  type Relay,
  type RelayConnection,
  type RelayMetrics,
  type RelayOptions,
  type RelaySession,
  type RelayStats,
} from './relay/index.js'
export {
  type ClientBinding,
  createMemoryDisk,
  createMemoryStorage,
  type EntityHead,
  type EntityPage,
  type EntityRef,
  type MemoryDisk,
  type MemoryStorageOptions,
  openSqliteStorage,
  type PageLimits,
  type RelayStorage,
  type RelayTransaction,
  type SqliteStorageOptions,
  type StorageTotals,
  type StoredEntity,
  type StoredOperation,
} from './storage/index.js'
