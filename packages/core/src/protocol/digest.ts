import * as encoding from 'lib0/encoding'
import * as sha256 from 'lib0/hash/sha256'
import type { OperationPart } from './messages.js'

/** Bytes of a digest on the wire: enough that a mix-up can't pass unseen, short enough for each ack. */
const DIGEST_BYTES = 8

/**
 * The first 8 bytes of SHA-256 over what of an operation enters an entity: version and update of each part, in order.
 * Versions count: an operation that only removes has the same update under any stamp [L7].
 */
export function operationDigest(
  parts: readonly Pick<OperationPart, 'sequence' | 'lastModified' | 'update'>[],
): Uint8Array {
  const encoder = encoding.createEncoder()
  for (const { sequence, lastModified, update } of parts) {
    encoding.writeVarUint(encoder, sequence)
    encoding.writeVarUint(encoder, lastModified)
    encoding.writeVarUint8Array(encoder, update)
  }
  // A copy, and plain bytes: Node's own digest is a Buffer.
  return new Uint8Array(sha256.digest(encoding.toUint8Array(encoder)).subarray(0, DIGEST_BYTES))
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
