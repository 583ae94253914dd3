/**
 * The wire protocol between a client and a relay: messages, their bytes, limits and close codes.
 * Pure. May import `entity` and `errors`. Written down for other implementations in docs/protocol.md.
 */
export { decodeClientMessage, encodeClientMessage } from './client-codec.js'
export { operationDigest, sameBytes } from './digest.js'
export {
  CLOSE_CODES,
  type ClientMessage,
  type EntityName,
  type EntityState,
  type Fate,
  isPermanentClose,
  MAX_PRESENCE_BYTES,
  type OperationPart,
  PEER_NAME,
  type Peer,
  type RejectCode,
  type RelayLimits,
  type RelayMessage,
  type Role,
  type WireOperation,
} from './messages.js'
export { decodeRelayMessage, encodeRelayMessage } from './relay-codec.js'
export { PROTOCOL_VERSION, SUBPROTOCOL } from './version.js'
