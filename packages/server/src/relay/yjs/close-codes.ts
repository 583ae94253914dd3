/**
 * How a connection of a stock Yjs client ends. The protocol of y-websocket has no other way to refuse; its provider
 * (3.1.0 and later) doesn't come back by itself after 44xx, and tries everything else again. Where the wire protocol has a
 * code for it, it is the same one.
 */
export const YJS_CLOSE_CODES = {
  /** An address or a frame that isn't of the protocol. */
  protocolViolation: 4400,
  /** The token is missing, wrong or expired. */
  unauthorized: 4401,
  /** The user may not open the space, or may not write. */
  forbidden: 4403,
  /** The entity is deleted, or was made anew. */
  gone: 4410,
  /** A frame, an edit or the entity is too large. */
  tooLarge: 4413,
  /** An edit that the relay can't take; nothing of it was stored, and the document is refused until it is loaded anew. */
  refusedEdit: 4422,
  /** Authentication took too long. Tried again. */
  greetingTimeout: 4501,
  /** The reader was too slow. Tried again. */
  slowReader: 4508,
  /** Tried again. */
  overloaded: 1013,
} as const
