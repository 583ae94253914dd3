import { type RegisterWrite, type Stamp, sameStamp } from '../entity/index.js'
import type { PendingOperation, PendingPart } from './records.js'

/** By `nameOf` a stamp that was given up, the one that the same write has now. */
export type Renames = ReadonlyMap<string, Stamp>

/** What new stamps are made of. */
export interface Restamping {
  /** Signs them. Nobody has stamped anything with it yet: that alone keeps the new stamps unique [L1]. */
  readonly actor: string
  /** When an operation was really made, in microseconds, from what the device's clock said. */
  timeOf(createdAt: number): number
  /** No stamp is later. */
  readonly latest: number
}

/**
 * Gives every write of the outbox a new stamp, in outbox order, and the writes that supersede them the new names [L7].
 * `operations` are all that wait. Bytes stay as they are: whoever calls says them again, as in a rebase.
 */
export function restampOperations<O extends PendingOperation>(
  operations: readonly O[],
  { actor, timeOf, latest }: Restamping,
): { readonly operations: readonly O[]; readonly renames: Renames } {
  let left = operations.reduce((sum, operation) => sum + timesIn(operation), 0)
  let time = 0
  const renames = new Map<string, Stamp>()
  const restamped = operations.map((operation) => {
    const made = timeOf(operation.createdAt)
    return restampOperation(
      operation,
      actor,
      () => {
        left -= 1
        // As true as possible, but never so late that those behind it would have to be later than now.
        time = Math.max(Math.min(made, latest - left), time + 1)
        return time
      },
      renames,
    )
  })
  return { operations: restamped, renames }
}

/** The same for one operation, and for the renames before it; adds to them. */
export function restampOperation<O extends PendingOperation>(
  operation: O,
  actor: string,
  nextTime: () => number,
  renames: Map<string, Stamp>,
): O {
  const parts = operation.parts.map((part): PendingPart => {
    // One by one: a write may supersede one before it in the same part.
    const writes = part.writes.map((own): RegisterWrite => {
      const [write = own] = renameSuperseded([own], renames)
      if (write.kind === 'remove') return write
      const stamp = { lastModified: nextTime(), actor }
      // Nobody supersedes what a counter counted: it needs no former names.
      if (write.kind === 'increment') return { ...write, ...stamp }
      renames.set(nameOf(write), stamp)
      const former = { lastModified: write.lastModified, actor: write.actor }
      return { ...write, ...stamp, formerly: [...(write.formerly ?? []), former] }
    })
    return { ...part, writes, lastModified: nextTime() }
  })
  return { ...operation, parts }
}

/**
 * Writes that say they have seen the new names as well. The old ones stay: they name the same writes [L2], and one of them may
 * still be accepted under its old name, when a copy that was sent before was late on another link.
 */
function renameSuperseded(
  writes: readonly RegisterWrite[],
  renames: Renames,
): readonly RegisterWrite[] {
  if (renames.size === 0) return writes
  let changed = false
  const renamed = writes.map((write) => {
    if (write.kind === 'increment') return write
    const names = write.supersedes.flatMap((stamp) => renames.get(nameOf(stamp)) ?? [])
    const added = names.filter((name) => !write.supersedes.some((known) => sameStamp(known, name)))
    if (added.length === 0) return write
    changed = true
    return { ...write, supersedes: [...added, ...write.supersedes] }
  })
  return changed ? renamed : writes
}

/** Writes that were just made, which know what they supersede by its last name only, with its former ones. */
export function withFormerNames(
  writes: readonly RegisterWrite[],
  pending: readonly RegisterWrite[],
): readonly RegisterWrite[] {
  if (pending.length === 0) return writes
  const former = new Map<string, readonly Stamp[]>()
  for (const write of pending) {
    if (write.kind === 'set' && write.formerly !== undefined)
      former.set(nameOf(write), write.formerly)
  }
  if (former.size === 0) return writes
  return writes.map((write) => {
    if (write.kind === 'increment') return write
    const names = write.supersedes.flatMap((stamp) => former.get(nameOf(stamp)) ?? [])
    return names.length === 0 ? write : { ...write, supersedes: [...write.supersedes, ...names] }
  })
}

/** `renameSuperseded` for all parts of an operation. */
export function renameInOperation<O extends PendingOperation>(operation: O, renames: Renames): O {
  let changed = false
  const parts = operation.parts.map((part) => {
    const writes = renameSuperseded(part.writes, renames)
    if (writes === part.writes) return part
    changed = true
    return { ...part, writes }
  })
  return changed ? { ...operation, parts } : operation
}

/** What of an operation was renamed between two of its versions: its writes keep their places, and inherited ones come before them. */
export function noteRenames(
  before: PendingOperation,
  after: PendingOperation,
  renames: Map<string, Stamp>,
): void {
  if (before.parts === after.parts) return
  for (const [index, part] of before.parts.entries()) {
    for (const [position, write] of part.writes.entries()) {
      const writes = after.parts[index]?.writes ?? []
      const now = writes[writes.length - part.writes.length + position]
      if (write.kind !== 'set' || now?.kind !== 'set' || sameStamp(write, now)) continue
      renames.set(nameOf(write), { lastModified: now.lastModified, actor: now.actor })
    }
  }
}

/** A stamp as the key of a map. */
export function nameOf({ lastModified, actor }: Stamp): string {
  return `${lastModified} ${actor}`
}

/** All times in an operation: one for each element, one for each envelope. */
export function timesOf({ parts }: PendingOperation): number[] {
  return parts.flatMap(({ writes, lastModified }) => [
    ...writes.flatMap((write) => (write.kind === 'remove' ? [] : write.lastModified)),
    lastModified,
  ])
}

function timesIn(operation: PendingOperation): number {
  return timesOf(operation).length
}
