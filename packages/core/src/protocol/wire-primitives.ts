import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { TidemarkError } from '../errors.js'

/** More of anything in one frame is refused before memory is taken for it. */
const MAX_LIST = 65_536

export function writeList<T>(
  encoder: encoding.Encoder,
  items: readonly T[],
  write: (encoder: encoding.Encoder, item: T) => void,
): void {
  encoding.writeVarUint(encoder, items.length)
  for (const item of items) write(encoder, item)
}

export function readList<T>(
  decoder: decoding.Decoder,
  read: (decoder: decoding.Decoder) => T,
): T[] {
  const length = readUint(decoder)
  if (length > MAX_LIST) throw violation(`a list of ${length}`)
  const items: T[] = []
  for (let index = 0; index < length; index++) items.push(read(decoder))
  return items
}

/** Beyond 2^53 - 1 a sequence plus one would be itself. */
export function readUint(decoder: decoding.Decoder): number {
  const value = decoding.readVarUint(decoder)
  if (!Number.isSafeInteger(value)) throw violation(`the number ${value}`)
  return value
}

export function readFlag(decoder: decoding.Decoder): boolean {
  const byte = decoding.readUint8(decoder)
  if (byte !== 0 && byte !== 1) throw violation(`the flag ${byte}`)
  return byte === 1
}

/** A copy: what is kept must not keep the whole frame alive. */
export function readBytes(decoder: decoding.Decoder): Uint8Array {
  const length = readUint(decoder)
  if (decoder.pos + length > decoder.arr.length) throw violation('cut bytes')
  return decoding.readUint8Array(decoder, length).slice()
}

export function decodeFrame<T>(
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

export function unknownType(type: number): TidemarkError {
  return violation(`the unknown type ${type}`)
}

export function violation(what: string): TidemarkError {
  return new TidemarkError(
    'protocol-violation',
    `A frame has ${what}. Both sides must speak the same protocol version; see docs/protocol.md.`,
  )
}
