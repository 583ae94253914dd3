/**
 * The version of the wire protocol. A relay and a client speak when their versions are equal.
 *
 * History
 * - 1: hello, open, fates, subscribe, pages, changes, push, ack, reject, ping.
 * - 2: `reject` tells the relay's time; code `drift`; digests are over versions too; `renewed`; `generation` is tried again.
 */
export const PROTOCOL_VERSION = 2

/** Offered as websocket subprotocol, so that a proxy's log and a wrong endpoint can be told apart. */
export const SUBPROTOCOL = 'tidemark.v2'
