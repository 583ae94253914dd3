/**
 * Synchronising: the connection, one space over it, the tabs of a device, and keeping memory and storage in step.
 * May import `protocol`, `replica`, `entity`, `operations`, `storage` (the port) and `platform` (ports): all I/O
 * goes through those.
 */

export type { Retry } from './back-off.js'
export { type ClientLease, leaseClient, leaseNewClient } from './client-lease.js'
export {
  type ConnectionStatus,
  connectionStatus,
} from './connection.js'
export { createLink } from './link.js'
export {
  createPersistence,
  type Persistence,
  type Settlement,
} from './persistence.js'
export { retryParked } from './retry.js'
export { createSpaceSync } from './space-sync.js'
export { joinTabs, type TabMessage } from './tabs.js'
export { createTokenRefresh } from './token-refresh.js'
