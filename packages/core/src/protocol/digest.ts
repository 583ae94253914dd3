import * as sha256 from 'lib0/hash/sha256'
import type { OperationPart } from './messages.js'

/** Bytes of a digest on the wire: enough that a mix-up can't pass unseen, short enough for each ack. */
const DIGEST_BYTES = 8

/** The first 8 bytes of SHA-256 over the updates of an operation, in the order of its parts. */
export function operationDigest(parts: readonly Pick<OperationPart, 'update'>[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.update.length, 0))
  let offset = 0
  for (const { update } of parts) {
    joined.set(update, offset)
    offset += update.length
  }
  // A copy, and plain bytes: Node's own digest is a Buffer.
  return new Uint8Array(sha256.digest(joined).subarray(0, DIGEST_BYTES))
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
