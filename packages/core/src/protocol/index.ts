/**
 * The wire protocol between a client and a relay: messages, their bytes, limits and close codes.
 * Pure. May import `entity` and `errors`. Written down for other implementations in docs/protocol.md.
 */
export {
  decodeClientMessage,
  decodeRelayMessage,
  encodeClientMessage,
  encodeRelayMessage,
} from './codec.js'
export { operationDigest, sameBytes } from './digest.js'
export {
  CLOSE_CODES,
  type ClientMessage,
  type EntityState,
  type Fate,
  isPermanentClose,
  type OperationPart,
  type RejectCode,
  type RelayLimits,
  type RelayMessage,
  type WireOperation,
} from './messages.js'
export { PROTOCOL_VERSION, SUBPROTOCOL } from './version.js'
