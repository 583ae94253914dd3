import { invalid } from './update-errors.js'
import { decoding } from './yjs/index.js'

/** yjs-facts 5.4: far below where decoding overflows the stack. */
const MAX_DEPTH = 64
const MAX_KEY_LENGTH = 1024

const TRAPS = new Set(['__proto__', 'constructor', 'prototype'])

/** Walks over one lib0 "any" value without building it, so that depth and keys are checked first. */
export function skipAny(decoder: decoding.Decoder, depth: number): void {
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
        assertKey(decoding.readVarString(decoder))
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

/** The same for a value that stands as JSON text, as embeds and formats do. */
export function skipJson(decoder: decoding.Decoder): void {
  assertPlain(JSON.parse(decoding.readVarString(decoder)), 0)
}

function assertPlain(value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw invalid(`values nested deeper than ${MAX_DEPTH}`)
  if (typeof value !== 'object' || value === null) return
  for (const [key, part] of Object.entries(value)) {
    assertKey(key)
    assertPlain(part, depth + 1)
  }
}

/** @throws TidemarkError `update-invalid` for what would be a prototype, or is too long to be a name */
export function assertKey(key: string): void {
  if (TRAPS.has(key) || key.length > MAX_KEY_LENGTH) throw invalid('a forbidden key')
}
