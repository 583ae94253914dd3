/**
 * The version of the wire protocol. A relay and a client speak when their versions are equal.
 *
 * History
 * - 1: hello, open, fates, subscribe, pages, changes, push, ack, reject, ping.
 * - 2: `reject` tells the relay's time; code `drift`; digests are over versions too; `renewed`; `generation` is tried again.
 * - 3: `auth` and expiry of tokens; roles in `opened`; the purge horizon; presence; `handBack`, `reset`, `wanted`; `goodbye`;
 *   `pong` tells the relay's time.
 */
export const PROTOCOL_VERSION = 3

/** Offered as websocket subprotocol, so that a proxy's log and a wrong endpoint can be told apart. */
export const SUBPROTOCOL = 'tidemark.v3'
