/**
 * Presence: who is where right now, and what they do there. Nothing of it is stored, nothing waits for it. May import `schema`
 * and `query` for values and subscriptions, and `protocol`; all I/O comes in through `platform` and `PresenceLink`.
 */
export { createPresences, type PresenceLink, type Presences } from './presence.js'
export type { PresenceTabMessage } from './tab-message.js'
export type { Presence, PresencePeer, PresenceView } from './types.js'
