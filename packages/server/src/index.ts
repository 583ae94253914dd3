/**
 * The Tidemark relay: orders, validates, stores durably, acknowledges and forwards the operations of a local-first
 * store.
 *
 *     relay/    what is accepted, in which order, and who hears of it; pure, runs over ports
 *     storage/  the port to durable storage, SQLite and memory
 *     auth/     tokens: checking and signing them
 *     http/     the HTTP server: websockets, health, static files
 *     config/   the configuration file
 *     cli.ts    `tidemark serve`, `tidemark token`
 *
 * @module
 */
export {
  createJwtAuthenticator,
  type JwtOptions,
  signToken,
  type TokenRequest,
} from './auth/index.js'
export { type AuthConfig, defineConfig, type RelayConfig } from './config/index.js'
export { RelayStartError, type RelayStartErrorCode } from './errors.js'
export { createRelayServer, type RelayServer, type RelayServerOptions } from './http/index.js'
export { type Log, silentLog } from './log.js'
export {
  type Authenticate,
  type Authorize,
  type Credentials,
  createRelay,
  DEFAULT_LIMITS,
  type EntityChange,
  type EntityValues,
  type Identity,
  type Limits,
  type PresenceGuest,
  type PresenceNews,
  type PresencePort,
  type PresenceSeat,
  type Proof,
  type Readiness,
  type Relay,
  type RelayConnection,
  type RelayMetrics,
  type RelayOptions,
  type RelaySession,
  type RelayStats,
  type Revocation,
  type SpaceRoles,
  type YjsRequest,
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
