import type { EntityVersion } from './types.js'

/** A version as the store or a source tells it; a source adds when it has indexed it. */
export type ComparableVersion = Pick<EntityVersion, 'sequence' | 'lastModified'> &
  Partial<Pick<EntityVersion, 'confirmedSequence'>> & {
    /** When the source has indexed it, in microseconds since the epoch. */
    readonly indexedAt?: number | null | undefined
  }

/**
 * Orders two versions of one entity: by how often it was modified (RFC 5545 SEQUENCE), then by when, then by whichever of
 * `confirmedSequence` and `indexedAt` both have.
 *
 * @returns below 0 when `a` is the older one, above 0 when it is the newer one, 0 when neither can be told
 */
export function compareVersions(a: ComparableVersion, b: ComparableVersion): number {
  if (a.sequence !== b.sequence) return a.sequence - b.sequence
  if (a.lastModified !== b.lastModified) return a.lastModified - b.lastModified
  return (
    difference(a.confirmedSequence, b.confirmedSequence) || difference(a.indexedAt, b.indexedAt)
  )
}

function difference(a: number | null | undefined, b: number | null | undefined): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : 0
}
