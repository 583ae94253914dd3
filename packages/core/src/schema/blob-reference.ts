import { TidemarkError } from '../errors.js'
import type { BlobReference } from './fields.js'

const HASH = /^[0-9a-f]{64}$/
/** Longer than any media type (RFC 6838 allows 127 + 1 + 127) or file name (255 bytes) in use. */
const MAX_TEXT = 255

/**
 * A copy of a blob reference without anything else.
 *
 * @throws TidemarkError `value-invalid` naming what of it is wrong
 */
export function parseBlobReference(value: unknown, path: readonly string[]): BlobReference {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(path, 'is no blob reference')
  }
  const { hash, size, type, name } = value as Partial<Record<keyof BlobReference, unknown>>
  if (typeof hash !== 'string' || !HASH.test(hash)) {
    throw invalid([...path, 'hash'], 'is no SHA-256 hash in lower-case hexadecimal')
  }
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalid([...path, 'size'], 'is no number of bytes')
  }
  if (!isShortText(type)) throw invalid([...path, 'type'], 'is no media type')
  if (!isShortText(name)) throw invalid([...path, 'name'], 'is no file name')
  return { hash, size, type, name }
}

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT
}

function invalid(path: readonly string[], what: string): TidemarkError {
  return new TidemarkError(
    'value-invalid',
    `${path.join('.')} ${what}. A blob field holds { hash, size, type, name }; nothing was changed.`,
    { path },
  )
}
