import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { Dialect } from './dialect.js'
import { titlesOf, yjsWriter } from './yjs-writer.js'

const SYNC = 0
const AUTH = 2
const SYNC_REPLY = 4
const SYNC_STATUS = 8
const TOKEN = 0
const STEP_1 = 0
const STEP_2 = 1
const UPDATE = 2
const EMPTY_STATE_VECTOR = Uint8Array.of(0)

/** What Hocuspocus' provider says: y-websocket's messages behind the name of a document, so that one socket can have many. */
export const hocuspocus: Dialect = {
  subprotocol: undefined,
  path: () => '/',
  join: (room) => [
    message(room, AUTH, (encoder) => {
      encoding.writeVarUint(encoder, TOKEN)
      encoding.writeVarString(encoder, '')
    }),
    sync(room, STEP_1, EMPTY_STATE_VECTOR),
  ],
  isJoined(bytes, start) {
    const kind = afterName(bytes, start)
    return isSync(bytes[kind]) && bytes[kind + 1] === STEP_2
  },
  isAnswer: (bytes, start) => bytes[afterName(bytes, start)] === SYNC_STATUS,
  writer: (room, user, entities) =>
    yjsWriter(user, entities, (update) => sync(room, UPDATE, update)),
  marksIn: (messages) => titlesOf(messages.flatMap(updatesIn)),
}

/** What a message brings for the document, if anything. */
export function updatesIn(bytes: Uint8Array): readonly Uint8Array[] {
  const decoder = decoding.createDecoder(bytes)
  decoding.readVarString(decoder)
  if (!isSync(decoding.readVarUint(decoder))) return []
  return decoding.readVarUint(decoder) === STEP_1 ? [] : [decoding.readVarUint8Array(decoder)]
}

function isSync(kind: number | undefined): boolean {
  return kind === SYNC || kind === SYNC_REPLY
}

/** Names of rooms are shorter than 128 bytes: their length is one byte. */
function afterName(bytes: Buffer, start: number): number {
  return start + 1 + (bytes[start] ?? 0)
}

function sync(room: string, step: number, content: Uint8Array): Uint8Array {
  return message(room, SYNC, (encoder) => {
    encoding.writeVarUint(encoder, step)
    encoding.writeVarUint8Array(encoder, content)
  })
}

function message(
  room: string,
  kind: number,
  write: (encoder: encoding.Encoder) => void,
): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarString(encoder, room)
  encoding.writeVarUint(encoder, kind)
  write(encoder)
  return encoding.toUint8Array(encoder)
}
