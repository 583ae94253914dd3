import * as decoding from 'lib0/decoding'

/** One struct of an update, as far as reading registers needs to know it. */
export interface RegisterStruct {
  readonly client: number
  readonly clock: number
  readonly length: number
  /** The item to its left when it was written; null where it names its parent. */
  readonly originClient: number | null
  readonly originClock: number
  readonly hasRight: boolean
  /** The root that it names; undefined where it names none. */
  readonly root: string | undefined
  /** Undefined where the values are deleted. */
  readonly values: readonly unknown[] | undefined
}

interface DeletedRun {
  readonly clock: number
  readonly len: number
}

export interface RegisterUpdate {
  readonly structs: readonly RegisterStruct[]
  readonly deletions: ReadonlyMap<number, readonly DeletedRun[]>
}

const CONTENT_DELETED = 1
const CONTENT_ANY = 8
const CONTENT_MASK = 0x1f
const HAS_PARENT_KEY = 0x20
const HAS_RIGHT = 0x40
const HAS_ORIGIN = 0x80
const ANY_ARRAY = 117
const ANY_STRING = 119
const ANY_FLOAT64 = 123

/**
 * Reads an update that consists of plain values and deleted ones, without Yjs' objects: what nearly every entity is made of.
 * Undefined for everything else, also for what is broken: Yjs then says what is wrong with it.
 *
 * @param withValues false: texts that are the value of an element are skipped
 */
export function readRegisterUpdate(
  update: Uint8Array,
  withValues = true,
): RegisterUpdate | undefined {
  const decoder = decoding.createDecoder(update)
  try {
    const structs: RegisterStruct[] = []
    for (let clients = decoding.readVarUint(decoder); clients > 0; clients--) {
      let left = decoding.readVarUint(decoder)
      const client = decoding.readVarUint(decoder)
      let clock = decoding.readVarUint(decoder)
      for (; left > 0; left--) {
        const struct = readStruct(decoder, client, clock, withValues)
        if (struct === undefined) return undefined
        structs.push(struct)
        clock += struct.length
      }
    }
    return { structs, deletions: readDeletions(decoder) }
  } catch {
    return undefined
  }
}

function readStruct(
  decoder: decoding.Decoder,
  client: number,
  clock: number,
  withValues: boolean,
): RegisterStruct | undefined {
  const info = decoding.readUint8(decoder)
  const content = info & CONTENT_MASK
  if (content !== CONTENT_ANY && content !== CONTENT_DELETED) return undefined
  let originClient: number | null = null
  let originClock = 0
  let root: string | undefined
  if ((info & HAS_ORIGIN) !== 0) {
    originClient = decoding.readVarUint(decoder)
    originClock = decoding.readVarUint(decoder)
  }
  const hasRight = (info & HAS_RIGHT) !== 0
  if (hasRight) skipId(decoder)
  if (originClient === null && !hasRight) {
    if (decoding.readVarUint(decoder) === 1) root = decoding.readVarString(decoder)
    else skipId(decoder)
    if ((info & HAS_PARENT_KEY) !== 0) decoding.readVarString(decoder)
  }
  const length = decoding.readVarUint(decoder)
  let values: unknown[] | undefined
  if (content === CONTENT_ANY) {
    values = []
    for (let left = length; left > 0; left--) values.push(readValue(decoder, withValues))
  }
  return { client, clock, length, originClient, originClock, hasRight, root, values }
}

function skipId(decoder: decoding.Decoder): void {
  decoding.readVarUint(decoder)
  decoding.readVarUint(decoder)
}

const NOTHING_DELETED: RegisterUpdate['deletions'] = new Map()

function readDeletions(decoder: decoding.Decoder): RegisterUpdate['deletions'] {
  let clients = decoding.readVarUint(decoder)
  if (clients === 0) return NOTHING_DELETED
  const deletions = new Map<number, DeletedRun[]>()
  for (; clients > 0; clients--) {
    const client = decoding.readVarUint(decoder)
    let left = decoding.readVarUint(decoder)
    const runs = deletions.get(client) ?? []
    if (left > 0) deletions.set(client, runs)
    for (; left > 0; left--) {
      const clock = decoding.readVarUint(decoder)
      runs.push({ clock, len: decoding.readVarUint(decoder) })
    }
  }
  return deletions
}

function readValue(decoder: decoding.Decoder, withValues: boolean): unknown {
  const { arr } = decoder
  if (arr[decoder.pos] !== ANY_ARRAY) return decoding.readAny(decoder)
  decoder.pos += 1
  const length = decoding.readVarUint(decoder)
  // An element: a list that grows would be several times as large.
  if (length === 5)
    return [
      readText(decoder, readName),
      readText(decoder, withValues ? undefined : skipText),
      readText(decoder, undefined),
      readText(decoder, undefined),
      readText(decoder, readName),
    ]
  const values: unknown[] = []
  for (let index = 0; index < length; index++) values.push(readText(decoder, undefined))
  return values
}

/** Reads what stands in an element; texts with `read`. */
function readText(
  decoder: decoding.Decoder,
  read: ((decoder: decoding.Decoder) => string | undefined) | undefined,
): unknown {
  const kind = decoder.arr[decoder.pos]
  if (kind === ANY_STRING && read !== undefined) return read(decoder)
  return kind === ANY_FLOAT64 ? readFloat64(decoder) : decoding.readAny(decoder)
}

function skipText(decoder: decoding.Decoder): undefined {
  decoder.pos += 1
  const length = decoding.readVarUint(decoder)
  decoder.pos += length
  if (decoder.pos > decoder.arr.length) throw new RangeError('The text ends too early.')
}

const float = new DataView(new ArrayBuffer(8))

/** lib0 makes a view for each number. Times are such numbers. */
function readFloat64(decoder: decoding.Decoder): number {
  const from = decoder.pos + 1
  decoder.pos = from + 8
  if (decoder.pos > decoder.arr.length) throw new RangeError('The number ends too early.')
  for (let at = 0; at < 8; at++) float.setUint8(at, decoder.arr[from + at] ?? 0)
  return float.getFloat64(0)
}

/** Names of fields and actors, of which there are few. */
interface Name {
  readonly bytes: Uint8Array
  readonly text: string
}

/** A power of two. */
const KNOWN_NAMES = 256
const LONGEST_NAME = 64
/** The names that were read last, by a hash of their bytes: comparing bytes is faster than making a string of them. */
const known: (Name | undefined)[] = new Array(KNOWN_NAMES).fill(undefined)

function readName(decoder: decoding.Decoder): string {
  const { arr } = decoder
  decoder.pos += 1
  const start = decoder.pos
  const length = arr[start] ?? 0
  const from = start + 1
  const to = from + length
  // Longer ones have a length of several bytes, or aren't worth keeping.
  if (length > LONGEST_NAME || to > arr.length) return decoding.readVarString(decoder)
  let hash = length
  for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + (arr[at] ?? 0)) | 0
  const slot = hash & (KNOWN_NAMES - 1)
  const name = known[slot]
  if (name !== undefined && isAt(name.bytes, arr, from, length)) {
    decoder.pos = to
    return name.text
  }
  const text = decoding.readVarString(decoder)
  known[slot] = { bytes: arr.slice(from, to), text }
  return text
}

function isAt(bytes: Uint8Array, arr: Uint8Array, from: number, length: number): boolean {
  if (bytes.length !== length) return false
  for (let at = 0; at < length; at++) if (bytes[at] !== arr[from + at]) return false
  return true
}
