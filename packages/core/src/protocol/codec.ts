import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { TidemarkError, unreachable } from '../errors.js'
import type {
  ClientMessage,
  EntityState,
  Fate,
  OperationPart,
  RejectCode,
  RelayMessage,
  WireOperation,
} from './messages.js'

/** First byte of a frame. Numbers are never reused for another meaning. */
const CLIENT_TYPES = { hello: 0, open: 1, fates: 2, subscribe: 3, push: 4, ping: 5 } as const
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

/** More of anything in one frame is refused before memory is taken for it. */
const MAX_LIST = 65_536

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
      break
    case 'push':
      encoding.writeVarUint(encoder, message.channel)
      writeOperation(encoder, message.operation)
      break
    case 'ping':
      encoding.writeVarUint(encoder, message.nonce)
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
        }
      case CLIENT_TYPES.push:
        return {
          type: 'push',
          channel: readUint(decoder),
          operation: readOperation(decoder),
        }
      case CLIENT_TYPES.ping:
        return { type: 'ping', nonce: readUint(decoder) }
      default:
        throw unknownType(type)
    }
  })
}

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
      break
    case 'opened':
      encoding.writeVarUint(encoder, message.channel)
      encoding.writeVarUint(encoder, message.head)
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
        }
      case RELAY_TYPES.opened:
        return {
          type: 'opened',
          channel: readUint(decoder),
          head: readUint(decoder),
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
        return { type: 'pong', nonce: readUint(decoder) }
      default:
        throw unknownType(type)
    }
  })
}

function writeOperation(encoder: encoding.Encoder, operation: WireOperation): void {
  encoding.writeVarString(encoder, operation.id)
  writeList(encoder, operation.parts, writePart)
}

function readOperation(decoder: decoding.Decoder): WireOperation {
  return { id: decoding.readVarString(decoder), parts: readList(decoder, readPart) }
}

function writePart(encoder: encoding.Encoder, part: OperationPart): void {
  encoding.writeVarString(encoder, part.collection)
  encoding.writeVarString(encoder, part.id)
  encoding.writeUint8(encoder, part.kind === 'create' ? 1 : 0)
  encoding.writeVarString(encoder, part.generation)
  encoding.writeVarUint(encoder, part.sequence)
  encoding.writeVarUint(encoder, part.lastModified)
  encoding.writeVarUint8Array(encoder, part.update)
}

function readPart(decoder: decoding.Decoder): OperationPart {
  return {
    collection: decoding.readVarString(decoder),
    id: decoding.readVarString(decoder),
    kind: readFlag(decoder) ? 'create' : 'update',
    generation: decoding.readVarString(decoder),
    sequence: readUint(decoder),
    lastModified: readUint(decoder),
    update: readBytes(decoder),
  }
}

function writeEntity(encoder: encoding.Encoder, entity: EntityState): void {
  encoding.writeVarString(encoder, entity.collection)
  encoding.writeVarString(encoder, entity.id)
  encoding.writeVarString(encoder, entity.generation)
  encoding.writeVarUint(encoder, entity.confirmedSequence)
  encoding.writeVarUint(encoder, entity.sequence)
  encoding.writeVarUint(encoder, entity.lastModified)
  encoding.writeVarUint8Array(encoder, entity.bytes)
}

function readEntity(decoder: decoding.Decoder): EntityState {
  return {
    collection: decoding.readVarString(decoder),
    id: decoding.readVarString(decoder),
    generation: decoding.readVarString(decoder),
    confirmedSequence: readUint(decoder),
    sequence: readUint(decoder),
    lastModified: readUint(decoder),
    bytes: readBytes(decoder),
  }
}

function writeFate(encoder: encoding.Encoder, fate: Fate): void {
  encoding.writeVarString(encoder, fate.id)
  encoding.writeVarUint(encoder, fate.sequence)
  encoding.writeVarUint8Array(encoder, fate.digest)
}

function readFate(decoder: decoding.Decoder): Fate {
  return {
    id: decoding.readVarString(decoder),
    sequence: readUint(decoder),
    digest: readBytes(decoder),
  }
}

function writeList<T>(
  encoder: encoding.Encoder,
  items: readonly T[],
  write: (encoder: encoding.Encoder, item: T) => void,
): void {
  encoding.writeVarUint(encoder, items.length)
  for (const item of items) write(encoder, item)
}

function readList<T>(decoder: decoding.Decoder, read: (decoder: decoding.Decoder) => T): T[] {
  const length = readUint(decoder)
  if (length > MAX_LIST) throw violation(`a list of ${length}`)
  const items: T[] = []
  for (let index = 0; index < length; index++) items.push(read(decoder))
  return items
}

/** Beyond 2^53 - 1 a sequence plus one would be itself. */
function readUint(decoder: decoding.Decoder): number {
  const value = decoding.readVarUint(decoder)
  if (!Number.isSafeInteger(value)) throw violation(`the number ${value}`)
  return value
}

function readFlag(decoder: decoding.Decoder): boolean {
  const byte = decoding.readUint8(decoder)
  if (byte !== 0 && byte !== 1) throw violation(`the flag ${byte}`)
  return byte === 1
}

/** A copy: what is kept must not keep the whole frame alive. */
function readBytes(decoder: decoding.Decoder): Uint8Array {
  const length = readUint(decoder)
  if (decoder.pos + length > decoder.arr.length) throw violation('cut bytes')
  return decoding.readUint8Array(decoder, length).slice()
}

function rejectCode(index: number): RejectCode {
  const code = REJECT_CODES[index]
  if (code === undefined) throw violation(`reject code ${index}`)
  return code
}

function decodeFrame<T>(
  frame: Uint8Array,
  read: (decoder: decoding.Decoder, type: number) => T,
): T {
  const decoder = decoding.createDecoder(frame)
  let message: T
  try {
    message = read(decoder, decoding.readUint8(decoder))
  } catch (error) {
    if (error instanceof TidemarkError) throw error
    throw new TidemarkError('protocol-violation', 'A frame ends early or is malformed.', {
      cause: error,
    })
  }
  if (decoder.pos !== frame.length) throw violation('bytes after its end')
  return message
}

function unknownType(type: number): TidemarkError {
  return violation(`the unknown type ${type}`)
}

function violation(what: string): TidemarkError {
  return new TidemarkError(
    'protocol-violation',
    `A frame has ${what}. Both sides must speak the same protocol version; see docs/protocol.md.`,
  )
}
