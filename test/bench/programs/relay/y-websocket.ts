import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { Dialect } from './dialect.js'
import { titlesOf, yjsWriter } from './yjs-writer.js'

/** y-protocols: a kind of message, a step, and what the step brings. */
const SYNC = 0
const STEP_1 = 0
const STEP_2 = 1
const UPDATE = 2
const EMPTY_STATE_VECTOR = Uint8Array.of(0)

/** What y-websocket says. A document has an address of its own, and nothing is ever acknowledged. */
export const yWebsocket: Dialect = {
  subprotocol: undefined,
  path: (room) => `/${room}`,
  join: () => [sync(STEP_1, EMPTY_STATE_VECTOR)],
  isJoined: (bytes, start) => bytes[start] === SYNC && bytes[start + 1] === STEP_2,
  isAnswer: undefined,
  writer: (_room, user, entities) => yjsWriter(user, entities, (update) => sync(UPDATE, update)),
  marksIn: (messages) => titlesOf(messages.flatMap(updatesIn)),
}

/** What a message brings for the document, if anything. */
export function updatesIn(message: Uint8Array): readonly Uint8Array[] {
  const decoder = decoding.createDecoder(message)
  if (decoding.readVarUint(decoder) !== SYNC) return []
  return decoding.readVarUint(decoder) === STEP_1 ? [] : [decoding.readVarUint8Array(decoder)]
}

function sync(step: number, content: Uint8Array): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, SYNC)
  encoding.writeVarUint(encoder, step)
  encoding.writeVarUint8Array(encoder, content)
  return encoding.toUint8Array(encoder)
}
