import {
  decodeContent,
  EMPTY_CONTENT,
  type EntityContent,
  type RegisterWrite,
  type Stamp,
  sameStamp,
  writeRegisters,
} from '../entity/index.js'
import {
  type ConfirmedEntity,
  type EntityKey,
  keyOf,
  type PendingOperation,
  type PendingPart,
} from './records.js'

/**
 * Says the surviving parts of one entity again on top of its confirmed snapshot, in outbox order, under a client id
 * that the entity hasn't seen [L14]. Stamps stay [L1]; each write deletes exactly what it had superseded [L2].
 */
export function rebaseParts(
  confirmed: ConfirmedEntity | undefined,
  parts: readonly PendingPart[],
  client: number,
): PendingPart[] {
  let content: EntityContent =
    confirmed === undefined ? EMPTY_CONTENT : decodeContent(confirmed.bytes)
  return parts.map((part) => {
    const written = writeRegisters(content, client, part.writes)
    content = written.content
    return { ...part, client, update: written.update }
  })
}

/**
 * What is left of later writes once `dropped` are gone: whoever had superseded a dropped write now supersedes what
 * that one had superseded [L2]. Without this a value that the dropped write had replaced would come back beside
 * the survivor as a conflict that nobody made.
 */
export function inheritSuperseded(
  writes: readonly RegisterWrite[],
  dropped: readonly RegisterWrite[],
): readonly RegisterWrite[] {
  const sets = dropped.filter((write) => write.kind === 'set')
  if (sets.length === 0) return writes
  return writes.map((write) => {
    let supersedes = write.supersedes
    // A dropped write may itself have superseded another dropped one: newest first resolves the chain.
    for (const gone of [...sets].reverse()) {
      if (gone.field !== write.field || !supersedes.some((stamp) => sameStamp(stamp, gone)))
        continue
      supersedes = union(
        supersedes.filter((stamp) => !sameStamp(stamp, gone)),
        gone.supersedes,
      )
    }
    return supersedes === write.supersedes ? write : { ...write, supersedes }
  })
}

function union(stamps: readonly Stamp[], more: readonly Stamp[]): readonly Stamp[] {
  return [...stamps, ...more.filter((stamp) => !stamps.some((other) => sameStamp(other, stamp)))]
}

/**
 * Every operation that has to go when `rejected` goes: those on an entity that was never confirmed and whose creation
 * goes have nothing to stand on, and an operation is atomic over its parts.
 */
export function withOrphans(
  rejected: PendingOperation,
  pendingOn: (key: EntityKey) => readonly PendingOperation[],
  isConfirmed: (key: EntityKey) => boolean,
): PendingOperation[] {
  const dropped = [rejected]
  for (const operation of dropped) {
    for (const part of operation.parts) {
      const key = keyOf(part)
      if (part.kind !== 'create' || isConfirmed(key)) continue
      const pending = pendingOn(key)
      const creates = (other: PendingOperation): boolean =>
        other.parts.some((own) => keyOf(own) === key && own.kind === 'create')
      // Another creation of the same id carries what comes after it.
      const next = pending.findIndex((other) => !dropped.includes(other) && creates(other))
      for (const other of next < 0 ? pending : pending.slice(0, next)) {
        if (!dropped.includes(other)) dropped.push(other)
      }
    }
  }
  return dropped
}
