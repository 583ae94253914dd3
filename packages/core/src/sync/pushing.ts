import type { RelayLimits, WireOperation } from '../protocol/index.js'
import type { ConfirmedEntity, OperationFailure, PendingOperation } from '../replica/index.js'

/** An operation as the relay gets it: its bytes and envelopes, not what it means. */
export function toWire({ id, parts }: PendingOperation): WireOperation {
  return {
    id,
    parts: parts.map((part) => ({
      collection: part.collection,
      id: part.id,
      kind: part.kind,
      generation: part.generation,
      sequence: part.sequence,
      lastModified: part.lastModified,
      update: part.update,
    })),
  }
}

/** What brings an entity back, as the relay gets it. */
export function toHandBack(row: ConfirmedEntity, id: string): WireOperation {
  const { collection, id: entity, generation, sequence, lastModified, bytes } = row
  const part = { collection, id: entity, generation, sequence, lastModified, update: bytes }
  return { id, parts: [{ ...part, kind: 'create' }] }
}

/** An operation that no frame can carry would cut the link each time it is sent: it is refused before. */
export function failureOfSize(
  operation: Pick<WireOperation, 'parts'>,
  limits: RelayLimits,
): OperationFailure | null {
  const bytes = operation.parts.reduce((sum, { update }) => sum + update.length, 0)
  if (bytes <= limits.maxOperationBytes) return null
  return {
    code: 'too-large',
    message: `It has ${bytes} bytes, and the relay takes ${limits.maxOperationBytes} at most.`,
  }
}
