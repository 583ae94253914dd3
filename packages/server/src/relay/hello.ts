import {
  CLOSE_CODES,
  type ClientMessage,
  decodeClientMessage,
  PROTOCOL_VERSION,
} from '@tidemark/core/protocol'
import * as decoding from 'lib0/decoding'
import { Refusal } from './refusal.js'

/** A hello starts with these in every version of the protocol: its type, then the version. */
const HELLO_TYPE = 0

/** @throws Refusal, TidemarkError `protocol-violation` */
export function decodeHello(
  frame: Uint8Array,
  maxBytes: number,
): ClientMessage & { readonly type: 'hello' } {
  if (frame.length > maxBytes) {
    throw new Refusal(CLOSE_CODES.protocolViolation, 'The first message is too large.')
  }
  const version = versionOf(frame)
  if (version === undefined) {
    throw new Refusal(CLOSE_CODES.protocolViolation, 'The first message must be a hello.')
  }
  if (version !== PROTOCOL_VERSION) {
    const older = version < PROTOCOL_VERSION ? 'app (reload it)' : 'relay'
    throw new Refusal(
      CLOSE_CODES.incompatible,
      `The app speaks protocol ${version}, this relay ${PROTOCOL_VERSION}: update the ${older}.`,
    )
  }
  const message = decodeClientMessage(frame)
  if (message.type === 'hello') return message
  throw new Refusal(CLOSE_CODES.protocolViolation, 'The first message must be a hello.')
}

function versionOf(frame: Uint8Array): number | undefined {
  if (frame[0] !== HELLO_TYPE) return undefined
  try {
    return decoding.readVarUint(decoding.createDecoder(frame.subarray(1)))
  } catch {
    return undefined
  }
}
