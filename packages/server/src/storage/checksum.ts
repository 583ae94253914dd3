import { crc32 } from 'node:zlib'
import { TidemarkError } from '@tidemark/core'
import type { EntityHead, EntityRef } from './port.js'

/** A byte string as it is stored. */
export interface StoredRow {
  readonly bytes: Uint8Array
  /** `checksum` of the bytes and of the place where they belong. */
  readonly checksum: number
}

/** CRC-32 over bytes and their identity: a row that stands in another's place is found out, too. */
export function checksum(identity: string, bytes: Uint8Array): number {
  return crc32(bytes, crc32(identity))
}

/** @throws TidemarkError `corrupt` */
function verified(identity: string, row: StoredRow): Uint8Array {
  if (checksum(identity, row.bytes) !== row.checksum)
    throw corrupt(identity, 'do not match their checksum')
  return row.bytes
}

export function snapshotIdentity(space: string, ref: EntityRef): string {
  return `snapshot of ${space}/${ref.collection}/${ref.id}`
}

export function updateIdentity(space: string, ref: EntityRef, sequence: number): string {
  return `update ${sequence} of ${space}/${ref.collection}/${ref.id}`
}

export interface SequencedRow extends StoredRow {
  readonly sequence: number
}

/**
 * The bytes of an entity in their order.
 *
 * @throws TidemarkError `corrupt` when a row is damaged, or when there is more or less than its head says
 */
export function verifiedLog(
  space: string,
  ref: EntityRef,
  head: EntityHead,
  snapshot: StoredRow | undefined,
  updates: readonly SequencedRow[],
): readonly Uint8Array[] {
  const log: Uint8Array[] = []
  if (snapshot !== undefined) log.push(verified(snapshotIdentity(space, ref), snapshot))
  const snapshotBytes = snapshot?.bytes.length ?? 0
  let logBytes = 0
  for (const update of updates) {
    log.push(verified(updateIdentity(space, ref, update.sequence), update))
    logBytes += update.bytes.length
  }
  if (
    snapshotBytes !== head.snapshotBytes ||
    logBytes !== head.logBytes ||
    updates.length !== head.logLength
  ) {
    throw corrupt(`${space}/${ref.collection}/${ref.id}`, 'are not as many as its head says')
  }
  return log
}

export function corrupt(identity: string, what: string): TidemarkError {
  return new TidemarkError(
    'corrupt',
    `The stored bytes (${identity}) ${what}. They are not served; restore a backup, or let a client that has them write them again.`,
  )
}
