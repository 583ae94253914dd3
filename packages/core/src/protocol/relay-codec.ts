import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { unreachable } from '../errors.js'
import type { RejectCode, RelayMessage, Role } from './messages.js'
import {
  decodeFrame,
  readBytes,
  readFlag,
  readList,
  readUint,
  unknownType,
  violation,
  writeList,
} from './wire-primitives.js'
import {
  readEntity,
  readFate,
  readOperation,
  readPeer,
  readRef,
  writeEntity,
  writeFate,
  writeOperation,
  writePeer,
  writeRef,
} from './wire-values.js'

/** First byte of a frame. Numbers are never reused for another meaning. */
const RELAY_TYPES = {
  welcome: 64,
  opened: 65,
  fates: 66,
  page: 67,
  caughtUp: 68,
  changes: 69,
  ack: 70,
  reject: 71,
  pong: 72,
  renewed: 73,
  authenticated: 74,
  presence: 75,
  reset: 76,
  wanted: 77,
  goodbye: 78,
  purged: 79,
} as const

/** Position is the number on the wire: append only. */
const REJECT_CODES: readonly RejectCode[] = [
  'invalid',
  'forbidden',
  'too-large',
  'gone',
  'generation',
  'gap',
  'unavailable',
  'rate-limited',
  'drift',
]

/** Position is the number on the wire: append only. */
const ROLES: readonly Role[] = ['read', 'write', 'admin']

export function encodeRelayMessage(message: RelayMessage): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeUint8(encoder, RELAY_TYPES[message.type])
  switch (message.type) {
    case 'welcome':
      encoding.writeVarUint(encoder, message.protocol)
      encoding.writeVarString(encoder, message.epoch)
      encoding.writeVarUint(encoder, message.serverTime)
      encoding.writeVarString(encoder, message.user)
      encoding.writeVarUint(encoder, message.limits.maxFrameBytes)
      encoding.writeVarUint(encoder, message.limits.maxOperationBytes)
      encoding.writeVarUint(encoder, message.limits.maxInFlight)
      encoding.writeVarUint(encoder, message.tokenExpiresAt)
      break
    case 'opened':
      encoding.writeVarUint(encoder, message.channel)
      encoding.writeVarUint(encoder, message.head)
      encoding.writeUint8(encoder, ROLES.indexOf(message.role))
      break
    case 'fates':
      encoding.writeVarUint(encoder, message.channel)
      writeList(encoder, message.fates, writeFate)
      break
    case 'page':
      encoding.writeVarUint(encoder, message.channel)
      writeList(encoder, message.entities, writeEntity)
      break
    case 'caughtUp':
      encoding.writeVarUint(encoder, message.channel)
      encoding.writeVarUint(encoder, message.sequence)
      encoding.writeVarUint(encoder, message.horizon)
      break
    case 'changes':
      encoding.writeVarUint(encoder, message.channel)
      encoding.writeVarUint(encoder, message.sequence)
      writeOperation(encoder, message.operation)
      break
    case 'renewed':
      encoding.writeVarUint(encoder, message.channel)
      encoding.writeVarUint(encoder, message.sequence)
      writeEntity(encoder, message.entity)
      break
    case 'ack':
      encoding.writeVarUint(encoder, message.channel)
      encoding.writeVarString(encoder, message.id)
      encoding.writeVarUint(encoder, message.sequence)
      encoding.writeVarUint8Array(encoder, message.digest)
      break
    case 'reject':
      encoding.writeVarUint(encoder, message.channel)
      encoding.writeVarString(encoder, message.id)
      encoding.writeVarUint(encoder, REJECT_CODES.indexOf(message.code))
      encoding.writeVarString(encoder, message.message)
      encoding.writeUint8(encoder, message.retryable ? 1 : 0)
      encoding.writeVarUint(encoder, message.retryAfter)
      encoding.writeVarUint(encoder, message.serverTime)
      break
    case 'pong':
      encoding.writeVarUint(encoder, message.nonce)
      encoding.writeVarUint(encoder, message.serverTime)
      break
    case 'authenticated':
      encoding.writeVarUint(encoder, message.tokenExpiresAt)
      break
    case 'presence':
      encoding.writeVarUint(encoder, message.channel)
      encoding.writeVarString(encoder, message.topic)
      encoding.writeUint8(encoder, message.all ? 1 : 0)
      writeList(encoder, message.peers, writePeer)
      break
    case 'reset':
      encoding.writeVarUint(encoder, message.channel)
      break
    case 'wanted':
      encoding.writeVarUint(encoder, message.channel)
      writeList(encoder, message.entities, writeRef)
      break
    case 'purged':
      encoding.writeVarUint(encoder, message.channel)
      encoding.writeVarUint(encoder, message.horizon)
      break
    case 'goodbye':
      encoding.writeVarUint(encoder, message.spread)
      break
    default:
      unreachable(message)
  }
  return encoding.toUint8Array(encoder)
}

/** @throws TidemarkError `protocol-violation` */
export function decodeRelayMessage(frame: Uint8Array): RelayMessage {
  return decodeFrame(frame, (decoder, type): RelayMessage => {
    switch (type) {
      case RELAY_TYPES.welcome:
        return {
          type: 'welcome',
          protocol: readUint(decoder),
          epoch: decoding.readVarString(decoder),
          serverTime: readUint(decoder),
          user: decoding.readVarString(decoder),
          limits: {
            maxFrameBytes: readUint(decoder),
            maxOperationBytes: readUint(decoder),
            maxInFlight: readUint(decoder),
          },
          tokenExpiresAt: readUint(decoder),
        }
      case RELAY_TYPES.opened:
        return {
          type: 'opened',
          channel: readUint(decoder),
          head: readUint(decoder),
          role: role(decoding.readUint8(decoder)),
        }
      case RELAY_TYPES.fates:
        return {
          type: 'fates',
          channel: readUint(decoder),
          fates: readList(decoder, readFate),
        }
      case RELAY_TYPES.page:
        return {
          type: 'page',
          channel: readUint(decoder),
          entities: readList(decoder, readEntity),
        }
      case RELAY_TYPES.caughtUp:
        return {
          type: 'caughtUp',
          channel: readUint(decoder),
          sequence: readUint(decoder),
          horizon: readUint(decoder),
        }
      case RELAY_TYPES.changes:
        return {
          type: 'changes',
          channel: readUint(decoder),
          sequence: readUint(decoder),
          operation: readOperation(decoder),
        }
      case RELAY_TYPES.renewed:
        return {
          type: 'renewed',
          channel: readUint(decoder),
          sequence: readUint(decoder),
          entity: readEntity(decoder),
        }
      case RELAY_TYPES.ack:
        return {
          type: 'ack',
          channel: readUint(decoder),
          id: decoding.readVarString(decoder),
          sequence: readUint(decoder),
          digest: readBytes(decoder),
        }
      case RELAY_TYPES.reject:
        return {
          type: 'reject',
          channel: readUint(decoder),
          id: decoding.readVarString(decoder),
          code: rejectCode(readUint(decoder)),
          message: decoding.readVarString(decoder),
          retryable: readFlag(decoder),
          retryAfter: readUint(decoder),
          serverTime: readUint(decoder),
        }
      case RELAY_TYPES.pong:
        return { type: 'pong', nonce: readUint(decoder), serverTime: readUint(decoder) }
      case RELAY_TYPES.authenticated:
        return { type: 'authenticated', tokenExpiresAt: readUint(decoder) }
      case RELAY_TYPES.presence:
        return {
          type: 'presence',
          channel: readUint(decoder),
          topic: decoding.readVarString(decoder),
          all: readFlag(decoder),
          peers: readList(decoder, readPeer),
        }
      case RELAY_TYPES.reset:
        return { type: 'reset', channel: readUint(decoder) }
      case RELAY_TYPES.wanted:
        return {
          type: 'wanted',
          channel: readUint(decoder),
          entities: readList(decoder, readRef),
        }
      case RELAY_TYPES.purged:
        return { type: 'purged', channel: readUint(decoder), horizon: readUint(decoder) }
      case RELAY_TYPES.goodbye:
        return { type: 'goodbye', spread: readUint(decoder) }
      default:
        throw unknownType(type)
    }
  })
}

function rejectCode(index: number): RejectCode {
  const code = REJECT_CODES[index]
  if (code === undefined) throw violation(`reject code ${index}`)
  return code
}

function role(index: number): Role {
  const name = ROLES[index]
  if (name === undefined) throw violation(`role ${index}`)
  return name
}
