import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { unreachable } from '../errors.js'
import type { ClientMessage } from './messages.js'
import {
  decodeFrame,
  readBytes,
  readFlag,
  readList,
  readUint,
  unknownType,
  writeList,
} from './wire-primitives.js'
import { readOperation, writeOperation } from './wire-values.js'

/** First byte of a frame. Numbers are never reused for another meaning. */
const CLIENT_TYPES = {
  hello: 0,
  open: 1,
  fates: 2,
  subscribe: 3,
  push: 4,
  ping: 5,
  auth: 6,
  join: 7,
  leave: 8,
  presence: 9,
  handBack: 10,
} as const

export function encodeClientMessage(message: ClientMessage): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeUint8(encoder, CLIENT_TYPES[message.type])
  switch (message.type) {
    case 'hello':
      encoding.writeVarUint(encoder, message.protocol)
      encoding.writeVarString(encoder, message.user)
      encoding.writeVarString(encoder, message.token)
      encoding.writeVarString(encoder, message.replica)
      break
    case 'open':
      encoding.writeVarUint(encoder, message.channel)
      encoding.writeVarString(encoder, message.space)
      break
    case 'fates':
      encoding.writeVarUint(encoder, message.channel)
      writeList(encoder, message.ids, encoding.writeVarString)
      break
    case 'subscribe':
      encoding.writeVarUint(encoder, message.channel)
      encoding.writeVarUint(encoder, message.since)
      encoding.writeUint8(encoder, message.fresh ? 1 : 0)
      break
    case 'push':
    case 'handBack':
      encoding.writeVarUint(encoder, message.channel)
      writeOperation(encoder, message.operation)
      break
    case 'ping':
      encoding.writeVarUint(encoder, message.nonce)
      break
    case 'auth':
      encoding.writeVarString(encoder, message.token)
      break
    case 'join':
    case 'leave':
      encoding.writeVarUint(encoder, message.channel)
      encoding.writeVarString(encoder, message.topic)
      break
    case 'presence':
      encoding.writeVarUint(encoder, message.channel)
      encoding.writeVarString(encoder, message.topic)
      encoding.writeVarString(encoder, message.peer)
      encoding.writeVarUint8Array(encoder, message.state)
      break
    default:
      unreachable(message)
  }
  return encoding.toUint8Array(encoder)
}

/** @throws TidemarkError `protocol-violation` */
export function decodeClientMessage(frame: Uint8Array): ClientMessage {
  return decodeFrame(frame, (decoder, type): ClientMessage => {
    switch (type) {
      case CLIENT_TYPES.hello:
        return {
          type: 'hello',
          protocol: readUint(decoder),
          user: decoding.readVarString(decoder),
          token: decoding.readVarString(decoder),
          replica: decoding.readVarString(decoder),
        }
      case CLIENT_TYPES.open:
        return {
          type: 'open',
          channel: readUint(decoder),
          space: decoding.readVarString(decoder),
        }
      case CLIENT_TYPES.fates:
        return {
          type: 'fates',
          channel: readUint(decoder),
          ids: readList(decoder, decoding.readVarString),
        }
      case CLIENT_TYPES.subscribe:
        return {
          type: 'subscribe',
          channel: readUint(decoder),
          since: readUint(decoder),
          fresh: readFlag(decoder),
        }
      case CLIENT_TYPES.push:
        return {
          type: 'push',
          channel: readUint(decoder),
          operation: readOperation(decoder),
        }
      case CLIENT_TYPES.handBack:
        return {
          type: 'handBack',
          channel: readUint(decoder),
          operation: readOperation(decoder),
        }
      case CLIENT_TYPES.ping:
        return { type: 'ping', nonce: readUint(decoder) }
      case CLIENT_TYPES.auth:
        return { type: 'auth', token: decoding.readVarString(decoder) }
      case CLIENT_TYPES.join:
      case CLIENT_TYPES.leave:
        return {
          type: type === CLIENT_TYPES.join ? 'join' : 'leave',
          channel: readUint(decoder),
          topic: decoding.readVarString(decoder),
        }
      case CLIENT_TYPES.presence:
        return {
          type: 'presence',
          channel: readUint(decoder),
          topic: decoding.readVarString(decoder),
          peer: decoding.readVarString(decoder),
          state: readBytes(decoder),
        }
      default:
        throw unknownType(type)
    }
  })
}
