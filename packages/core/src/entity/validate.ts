import { TidemarkError } from '../errors.js'
import { isRegisterKey } from './names.js'
import { type Element, registerRoot, toElement } from './register-log.js'
import { decoding } from './yjs.js'

/** What the receiver knows about the entity that an update wants to change. */
export interface UpdateContext {
  /** The clock that the client id's next item must have; 0 for an unknown one. */
  clock(client: number): number
  /** Whether the sender may write under that client id [L19]. */
  ownsClient(client: number): boolean
  /** Whether the sender may sign a write with that actor. */
  ownsActor(actor: string): boolean
}

export interface UpdateLimits {
  /** Size of one update in bytes. */
  readonly maxBytes: number
  /** Elements that one update may append. */
  readonly maxElements: number
  /** Ranges that one update may delete. */
  readonly maxDeletions: number
}

export interface ValidatedUpdate {
  readonly elements: readonly Element[]
  /** By client id that it writes under, the clock after it. */
  readonly clocks: ReadonlyMap<number, number>
}

/** Yjs encodes clocks as numbers; beyond 2^31 its own arithmetic is no longer sure. */
const MAX_CLOCK = 2 ** 31
const MAX_CLIENT = 2 ** 32 - 1
/** An honest operation is written by one tab; a few more leave room for merged ones. */
const MAX_CLIENTS = 16
/** yjs-facts 5.4: far below where decoding overflows the stack. */
const MAX_DEPTH = 64
const MAX_KEY_LENGTH = 1024

const CONTENT_ANY = 8
const HAS_ORIGIN = 0x80
const TRAPS = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Reads an update (Yjs format v1) strictly, without a document and without any effect (0.7-4 µs): every struct
 * must be one that `writeRegisters` makes, follow the client's last one without a gap, and refer to nothing that
 * the receiver lacks. What passes can't leave pending structs behind (reliability F11, F14) or write in
 * somebody else's name (F13).
 *
 * @throws TidemarkError `update-invalid` for what no honest client makes; `update-gap` for what may become valid
 *   once its predecessor has arrived [L20].
 */
export function validateUpdate(
  update: Uint8Array,
  context: UpdateContext,
  limits: UpdateLimits,
): ValidatedUpdate {
  if (update.length > limits.maxBytes)
    throw invalid(`${update.length} bytes, ${limits.maxBytes} allowed`)
  try {
    return readUpdate(decoding.createDecoder(update), update.length, context, limits)
  } catch (error) {
    if (error instanceof TidemarkError) throw error
    throw new TidemarkError('update-invalid', 'The update ends early or is malformed.', {
      cause: error,
    })
  }
}

function readUpdate(
  decoder: decoding.Decoder,
  length: number,
  context: UpdateContext,
  limits: UpdateLimits,
): ValidatedUpdate {
  const clocks = new Map<number, number>()
  const elements: Element[] = []
  const clients = decoding.readVarUint(decoder)
  if (clients > MAX_CLIENTS) throw invalid(`${clients} client ids`)
  for (let index = 0; index < clients; index++)
    readClient(decoder, context, limits, clocks, elements)
  readDeletions(decoder, (client) => clocks.get(client) ?? context.clock(client), limits)
  if (decoder.pos !== length) throw invalid('bytes after its end')
  return { elements, clocks }
}

function readClient(
  decoder: decoding.Decoder,
  context: UpdateContext,
  limits: UpdateLimits,
  clocks: Map<number, number>,
  elements: Element[],
): void {
  const structs = decoding.readVarUint(decoder)
  const client = decoding.readVarUint(decoder)
  let clock = decoding.readVarUint(decoder)
  if (structs === 0 || structs > limits.maxElements) throw invalid(`${structs} structs`)
  if (client > MAX_CLIENT || clocks.has(client)) throw invalid(`client id ${client}`)
  if (!context.ownsClient(client))
    throw invalid(`client id ${client}, which belongs to another replica`)
  const known = context.clock(client)
  if (clock > known) throw gap(`starts at ${client}:${clock}, ${known} is next`)
  if (clock < known) throw invalid(`${client}:${clock}, which exists already`)

  for (let index = 0; index < structs; index++) {
    const info = decoding.readUint8(decoder)
    if (info === (CONTENT_ANY | HAS_ORIGIN)) {
      const originClient = decoding.readVarUint(decoder)
      const originClock = decoding.readVarUint(decoder)
      // An array has one writer, so what an element follows is the writer's own [L4].
      if (originClient !== client || originClock >= clock)
        throw invalid('a foreign or later origin')
    } else if (info === CONTENT_ANY) {
      if (decoding.readVarUint(decoder) !== 1) throw invalid('a nested parent')
      if (decoding.readVarString(decoder) !== registerRoot(client)) throw invalid('a foreign root')
    } else {
      throw invalid(`struct kind ${info}`)
    }
    const count = decoding.readVarUint(decoder)
    if (count === 0 || elements.length + count > limits.maxElements)
      throw invalid(`${count} elements`)
    for (let item = 0; item < count; item++) elements.push(readElement(decoder, context))
    clock += count
    if (clock > MAX_CLOCK) throw invalid(`clock ${clock}`)
  }
  clocks.set(client, clock)
}

function readElement(decoder: decoding.Decoder, context: UpdateContext): Element {
  const start = decoder.pos
  // The list around a value doesn't count: `storable` allows as much.
  skipAny(decoder, -1)
  const end = decoder.pos
  decoder.pos = start
  const element = toElement(decoding.readAny(decoder))
  if (element === undefined || decoder.pos !== end)
    throw invalid('something that is not an element')
  if (!isRegisterKey(element.field)) throw invalid('a forbidden field name')
  if (element.lastModified < 0 || element.sequence < 0) throw invalid('a negative version')
  if (!context.ownsActor(element.actor))
    throw invalid(`actor ${element.actor}, which is not the sender`)
  return element
}

/** Walks over one lib0 "any" value without building it, so that depth and keys are checked first. */
function skipAny(decoder: decoding.Decoder, depth: number): void {
  if (depth > MAX_DEPTH) throw invalid(`values nested deeper than ${MAX_DEPTH}`)
  const tag = decoding.readUint8(decoder)
  switch (tag) {
    case 127: // undefined
    case 126: // null
    case 121: // false
    case 120: // true
      return
    case 125: // integer
      decoding.readVarInt(decoder)
      return
    case 124: // float32
      assertFinite(decoding.readFloat32(decoder))
      return
    case 123: // float64
      assertFinite(decoding.readFloat64(decoder))
      return
    case 119: // string
      decoding.readVarString(decoder)
      return
    case 118: // object
      for (let left = decoding.readVarUint(decoder); left > 0; left--) {
        const key = decoding.readVarString(decoder)
        if (TRAPS.has(key) || key.length > MAX_KEY_LENGTH) throw invalid('a forbidden key')
        skipAny(decoder, depth + 1)
      }
      return
    case 117: // array
      for (let left = decoding.readVarUint(decoder); left > 0; left--) skipAny(decoder, depth + 1)
      return
    default: // 122 bigint and 116 bytes are no JSON
      throw invalid(`value tag ${tag}`)
  }
}

function assertFinite(value: number): void {
  if (!Number.isFinite(value)) throw invalid('a value that is no finite number')
}

function readDeletions(
  decoder: decoding.Decoder,
  clockOf: (client: number) => number,
  limits: UpdateLimits,
): void {
  const clients = decoding.readVarUint(decoder)
  if (clients > limits.maxDeletions) throw invalid(`deletions of ${clients} client ids`)
  let ranges = 0
  for (let index = 0; index < clients; index++) {
    const client = decoding.readVarUint(decoder)
    const count = decoding.readVarUint(decoder)
    ranges += count
    if (count === 0 || ranges > limits.maxDeletions) throw invalid(`${ranges} deletions`)
    for (let range = 0; range < count; range++) {
      const clock = decoding.readVarUint(decoder)
      const length = decoding.readVarUint(decoder)
      if (length === 0) throw invalid('an empty deletion')
      if (clock + length > clockOf(client))
        throw gap(`deletes ${client}:${clock}+${length}, which is unknown`)
    }
  }
}

function invalid(what: string): TidemarkError {
  return new TidemarkError(
    'update-invalid',
    `The update has ${what}. No honest client makes it; it had no effect.`,
  )
}

function gap(what: string): TidemarkError {
  return new TidemarkError(
    'update-gap',
    `The update ${what}. Its predecessor must come first; it had no effect.`,
  )
}
