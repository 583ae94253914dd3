import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import {
  messageYjsSyncStep1,
  messageYjsSyncStep2,
  messageYjsUpdate,
  writeSyncStep1,
  writeSyncStep2,
  writeUpdate,
} from 'y-protocols/sync'
import type * as Y from 'yjs'
import type { AwarenessState } from './awareness.js'

/** The messages of y-websocket, one a frame: https://github.com/yjs/y-protocols/blob/master/PROTOCOL.md */
export type YjsMessage =
  /** Asks for everything that the state vector lacks. */
  | { readonly type: 'step1'; readonly stateVector: Uint8Array }
  /** What the other side lacks, or what was just written. */
  | { readonly type: 'update'; readonly update: Uint8Array }
  | { readonly type: 'awareness'; readonly states: readonly AwarenessState[] }
  | { readonly type: 'queryAwareness' }

const SYNC = 0
const AWARENESS = 1
const QUERY_AWARENESS = 3

/** Everybody repeats what they know of everybody, so that a frame has as many as there are connections to an entity. */
const MAX_STATES = 4_096

/** @returns undefined for a frame that isn't of the protocol */
export function decodeYjsMessage(frame: Uint8Array): YjsMessage | undefined {
  try {
    const decoder = decoding.createDecoder(frame)
    const message = readMessage(decoder)
    return decoding.hasContent(decoder) ? undefined : message
  } catch {
    return undefined
  }
}

function readMessage(decoder: decoding.Decoder): YjsMessage | undefined {
  switch (decoding.readVarUint(decoder)) {
    case SYNC:
      return readSync(decoder)
    case AWARENESS: {
      const states = readStates(decoding.createDecoder(decoding.readVarUint8Array(decoder)))
      return states === undefined ? undefined : { type: 'awareness', states }
    }
    case QUERY_AWARENESS:
      return { type: 'queryAwareness' }
    default:
      return undefined
  }
}

function readSync(decoder: decoding.Decoder): YjsMessage | undefined {
  switch (decoding.readVarUint(decoder)) {
    case messageYjsSyncStep1:
      return { type: 'step1', stateVector: decoding.readVarUint8Array(decoder) }
    case messageYjsSyncStep2:
    case messageYjsUpdate:
      return { type: 'update', update: decoding.readVarUint8Array(decoder) }
    default:
      return undefined
  }
}

function readStates(decoder: decoding.Decoder): AwarenessState[] | undefined {
  const count = decoding.readVarUint(decoder)
  if (count > MAX_STATES) return undefined
  const states: AwarenessState[] = []
  for (let left = count; left > 0; left--) {
    const client = decoding.readVarUint(decoder)
    const clock = decoding.readVarUint(decoder)
    const json = decoding.readVarString(decoder)
    states.push({ client, clock, json })
  }
  return decoding.hasContent(decoder) ? undefined : states
}

export function encodeStep1(doc: Y.Doc): Uint8Array {
  return frameOf(SYNC, (encoder) => writeSyncStep1(encoder, doc))
}

/** Everything of the document that the state vector lacks. Throws for bytes that are no state vector. */
export function encodeStep2(doc: Y.Doc, stateVector: Uint8Array): Uint8Array {
  return frameOf(SYNC, (encoder) => writeSyncStep2(encoder, doc, stateVector))
}

export function encodeUpdate(update: Uint8Array): Uint8Array {
  return frameOf(SYNC, (encoder) => writeUpdate(encoder, update))
}

export function encodeAwareness(states: readonly AwarenessState[]): Uint8Array {
  return frameOf(AWARENESS, (encoder) => {
    const body = encoding.createEncoder()
    encoding.writeVarUint(body, states.length)
    for (const { client, clock, json } of states) {
      encoding.writeVarUint(body, client)
      encoding.writeVarUint(body, clock)
      encoding.writeVarString(body, json)
    }
    encoding.writeVarUint8Array(encoder, encoding.toUint8Array(body))
  })
}

function frameOf(type: number, write: (encoder: encoding.Encoder) => void): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, type)
  write(encoder)
  return encoding.toUint8Array(encoder)
}
