/**
 * The relay's logic: who may connect, what is accepted, in which order, and who hears of it.
 * Pure of sockets, disks, clocks and randomness: all of them are handed in (`ports.ts`), so that the simulator in `test/`
 * runs exactly this code. May import `errors.ts`, `log.ts`, the port of `storage/`, and core's protocol and entity code.
 *
 *     session (one connection) ──► sequencer (one order) ──► admission (one operation) ──► storage
 *              ▲                        │ after the commit
 *              │                        │
 *              ├── catch-up ◄───────────┴──► hub ──► everybody who listens
 *              └── attendance (what its tabs say) ──► presence (who is where; in memory, told in ticks)
 */
export { checkedLimits } from './check-limits.js'
export { DEFAULT_LIMITS, type Limits } from './limits.js'
export type { RelayMetrics, RelayStats } from './metrics.js'
export { createNotices } from './notices.js'
export type {
  Authenticate,
  Authorize,
  ConnectionSummary,
  Credentials,
  EntityChange,
  EntityValues,
  Identity,
  PresenceGuest,
  PresenceNews,
  PresencePort,
  PresenceSeat,
  Proof,
  Readiness,
  Relay,
  RelayConnection,
  RelayOptions,
  RelaySession,
  Revocation,
  SpaceRoles,
  Visitor,
  YjsRequest,
} from './ports.js'
export { createRelay } from './relay.js'
export { isYjsPath } from './yjs/index.js'
