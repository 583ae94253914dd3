import { TidemarkError } from '../errors.js'
import { isFieldName, isRegisterKey } from './names.js'
import { type Element, registerRoot, toElement } from './register-log.js'
import { gap, invalid } from './update-errors.js'
import { assertKey, skipAny, skipJson } from './validate-value.js'
import { decoding, type ItemId } from './yjs/index.js'

/** What the receiver knows about the entity that an update wants to change. */
export interface UpdateContext {
  /** The clock that the client id's next item must have; 0 for an unknown one. */
  clock(client: number): number
  /** The clock of the last register that the client id wrote; undefined while it has written none. */
  tail(client: number): number | undefined
  /** Whether the sender may write under that client id [L19]. */
  ownsClient(client: number): boolean
  /** Whether the sender may sign a write with that actor. */
  ownsActor(actor: string): boolean
  /** The clock that a client id's next item has once all of a document is there; only when it is a whole document. */
  end?(client: number): number
}

export interface UpdateLimits {
  /** Size of one update in bytes. */
  readonly maxBytes: number
  /** Registers and other items that one update may append. */
  readonly maxElements: number
  /** Ranges that one update may delete. */
  readonly maxDeletions: number
  /** Client ids that it may write under; an honest operation has one. */
  readonly maxClients?: number
}

export interface ValidatedUpdate {
  readonly elements: readonly Element[]
  /** By client id that it writes under, the clock after it. */
  readonly clocks: ReadonlyMap<number, number>
  /** By client id that it writes registers under, the clock of the last one. */
  readonly tails: ReadonlyMap<number, number>
  /** How many XML elements and texts it makes: what may nest. */
  readonly types: number
}

/** Yjs encodes clocks as numbers; beyond 2^31 its own arithmetic is no longer sure. */
const MAX_CLOCK = 2 ** 31
const MAX_CLIENT = 2 ** 32 - 1
/** An honest operation is written by one tab; a few more leave room for merged ones. */
const MAX_CLIENTS = 16

const HAS_ORIGIN = 0x80
const HAS_RIGHT_ORIGIN = 0x40
const HAS_PARENT_KEY = 0x20

/** What an item may hold, as Yjs numbers it. The others (JSON, binary, documents, skips) no honest client makes. */
const CONTENT = { gc: 0, deleted: 1, string: 4, embed: 5, format: 6, type: 7, any: 8 } as const

/** Stands in merged updates for what is missing between them. */
const SKIP = 10

/** Elements and formatted text are what XML is made of; other types don't nest. */
const XML_ELEMENT = 3
const XML_TEXT = 6

/**
 * Reads an update (Yjs format v1) strictly, without a document and without any effect (0.7-4 µs): every struct must be one
 * that an honest client makes, follow the client's last one without a gap, and refer to nothing that the receiver lacks.
 * What passes can't leave pending structs behind (reliability F11, F14) or write in somebody else's name (F13).
 *
 * An item is a register exactly when it follows the client's last register with nothing to its right, or is the first one of
 * the client's own array; `decodeRuns` reads by the same rule. Everything else is text, a list or XML.
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

/** What has been read so far. */
interface Reading {
  readonly decoder: decoding.Decoder
  readonly context: UpdateContext
  readonly limits: UpdateLimits
  readonly clocks: Map<number, number>
  readonly tails: Map<number, number>
  readonly elements: Element[]
  structs: number
  types: number
}

function readUpdate(
  decoder: decoding.Decoder,
  length: number,
  context: UpdateContext,
  limits: UpdateLimits,
): ValidatedUpdate {
  const clocks = new Map<number, number>()
  const tails = new Map<number, number>()
  const elements: Element[] = []
  const reading: Reading = {
    decoder,
    context,
    limits,
    clocks,
    tails,
    elements,
    structs: 0,
    types: 0,
  }
  const clients = decoding.readVarUint(decoder)
  if (clients > (limits.maxClients ?? MAX_CLIENTS)) throw invalid(`${clients} client ids`)
  for (let index = 0; index < clients; index++) readClient(reading)
  readDeletions(decoder, (client) => clocks.get(client) ?? context.clock(client), limits)
  if (decoder.pos !== length) throw invalid('bytes after its end')
  return { elements, clocks, tails, types: reading.types }
}

function readClient(reading: Reading): void {
  const { decoder, context, limits, clocks } = reading
  const structs = decoding.readVarUint(decoder)
  const client = decoding.readVarUint(decoder)
  let clock = decoding.readVarUint(decoder)
  reading.structs += structs
  if (structs === 0 || reading.structs > limits.maxElements) throw invalid(`${structs} structs`)
  if (client > MAX_CLIENT || clocks.has(client)) throw invalid(`client id ${client}`)
  if (!context.ownsClient(client))
    throw invalid(`client id ${client}, which belongs to another replica`)
  const known = context.clock(client)
  if (clock > known) throw gap(`starts at ${client}:${clock}, ${known} is next`)
  if (clock < known) throw invalid(`${client}:${clock}, which exists already`)

  for (let index = 0; index < structs; index++) {
    clock += readStruct(reading, { client, clock })
    if (clock > MAX_CLOCK) throw invalid(`clock ${clock}`)
  }
  clocks.set(client, clock)
}

/** Reads one struct and returns its length in clocks. */
function readStruct(reading: Reading, id: ItemId): number {
  const { decoder, context, tails } = reading
  const info = decoding.readUint8(decoder)
  if (info === CONTENT.gc) return readLength(decoder)
  if (info === SKIP && context.end !== undefined)
    throw gap(`misses something at ${id.client}:${id.clock}`)
  const tail = tails.get(id.client) ?? context.tail(id.client)
  const origin = (info & HAS_ORIGIN) === 0 ? undefined : readReference(reading, id)
  const rightOrigin = (info & HAS_RIGHT_ORIGIN) === 0 ? undefined : readReference(reading, id)
  let isFirst = false
  if (origin === undefined && rightOrigin === undefined) isFirst = readParent(reading, id, info)

  const followsTail = origin?.client === id.client && origin.clock === tail
  if (isFirst || (followsTail && rightOrigin === undefined)) {
    if (isFirst && tail !== undefined) throw invalid('a second start of its registers')
    if (context.end !== undefined && (info & 0x1f) === CONTENT.deleted) return readShed(reading, id)
    return readRegisters(reading, id, info)
  }
  return readContent(reading, info & 0x1f)
}

/** A neighbour must be known, or stand before the item itself. */
function readReference({ decoder, context, clocks }: Reading, id: ItemId): ItemId {
  const client = decoding.readVarUint(decoder)
  const clock = decoding.readVarUint(decoder)
  const known = context.end?.(client) ?? clocks.get(client) ?? context.clock(client)
  const end = client === id.client ? id.clock : known
  if (clock >= end) {
    if (client === id.client) throw invalid('a later neighbour')
    throw gap(`refers to ${client}:${clock}, which is unknown`)
  }
  return { client, clock }
}

/** Reads where an item without neighbours stands; true for the client's own registers. */
function readParent(reading: Reading, id: ItemId, info: number): boolean {
  const { decoder } = reading
  const isRoot = decoding.readVarUint(decoder)
  if (isRoot > 1) throw invalid('an unknown kind of parent')
  if (isRoot === 0) {
    readReference(reading, id)
    if ((info & HAS_PARENT_KEY) !== 0) assertKey(decoding.readVarString(decoder))
    return false
  }
  const root = decoding.readVarString(decoder)
  if ((info & HAS_PARENT_KEY) !== 0) throw invalid('a key in a root')
  if (root === registerRoot(id.client)) return true
  if (!isFieldName(root)) throw invalid('a foreign root')
  return false
}

function readRegisters(
  { decoder, context, limits, elements, tails }: Reading,
  { client, clock }: ItemId,
  info: number,
): number {
  if ((info & 0x1f) !== CONTENT.any) throw invalid('registers that are none')
  const count = decoding.readVarUint(decoder)
  if (count === 0 || elements.length + count > limits.maxElements)
    throw invalid(`${count} elements`)
  for (let item = 0; item < count; item++) elements.push(readElement(decoder, context))
  tails.set(client, clock + count - 1)
  return count
}

/** Registers of a document that were overwritten, and whose values it has shed. */
function readShed({ decoder, tails }: Reading, { client, clock }: ItemId): number {
  const length = readLength(decoder)
  tails.set(client, clock + length - 1)
  return length
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

/** Reads what an item of a text, a list or XML holds, and returns its length in clocks. */
function readContent(reading: Reading, content: number): number {
  const { decoder } = reading
  switch (content) {
    case CONTENT.deleted:
      return readLength(decoder)
    case CONTENT.string: {
      const { length } = decoding.readVarString(decoder)
      if (length === 0) throw invalid('an empty text')
      return length
    }
    case CONTENT.embed:
      skipJson(decoder)
      return 1
    case CONTENT.format:
      assertKey(decoding.readVarString(decoder))
      skipJson(decoder)
      return 1
    case CONTENT.type: {
      const type = decoding.readVarUint(decoder)
      if (type === XML_ELEMENT) assertKey(decoding.readVarString(decoder))
      else if (type !== XML_TEXT) throw invalid(`a type of kind ${type}`)
      reading.types += 1
      return 1
    }
    case CONTENT.any: {
      const count = decoding.readVarUint(decoder)
      if (count === 0) throw invalid('an empty list')
      for (let item = 0; item < count; item++) skipAny(decoder, 0)
      return count
    }
    default:
      throw invalid(`struct kind ${content}`)
  }
}

function readLength(decoder: decoding.Decoder): number {
  const length = decoding.readVarUint(decoder)
  if (length === 0 || length > MAX_CLOCK) throw invalid(`a length of ${length}`)
  return length
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
