/**
 * Synchronising: the connection, one space over it, the tabs of a device, and keeping memory and storage in step.
 * May import `protocol`, `replica`, `entity`, `operations`, `storage` (the port) and `platform` (ports): all I/O
 * goes through those.
 */
export { type ClientLease, leaseClient, leaseNewClient } from './client-lease.js'
export {
  type ConnectionState,
  type ConnectionStatus,
  connectionStatus,
  IDLE,
} from './connection.js'
export { createLink, type Link } from './link.js'
export {
  createPersistence,
  type Persistence,
  type Settlement,
} from './persistence.js'
export { retryParked } from './retry.js'
export { createSpaceSync, type Retry, type SpaceSync } from './space-sync.js'
export { joinTabs, type TabMessage, type Tabs } from './tabs.js'
