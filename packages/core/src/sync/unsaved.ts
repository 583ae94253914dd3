import {
  decodeContent,
  EMPTY_CONTENT,
  type EntityContent,
  type HybridClock,
  type LiveElement,
  mergeUpdates,
  type RegisterWrite,
  type Stamp,
  sameStamp,
  sameValue,
  userOf,
  writeRegisters,
} from '../entity/index.js'
import {
  type EntityKey,
  type EntityRef,
  inheritSuperseded,
  keyOf,
  nameOf,
  type PendingOperation,
  type PendingPart,
  type Replica,
  renameInOperation,
  restampOperation,
  timesOf,
} from '../replica/index.js'

/** How this tab writes now. */
export interface Writer {
  /** The client id that it writes under. */
  client(): number
  /** What it signs with. */
  actor(): string
  readonly hybridClock: Pick<HybridClock, 'tick' | 'isBelievable'>
}

/**
 * Says what isn't saved yet again, on top of a rebased outbox [L11]. Saved operations may have left the chain (`dropped`) or
 * have new stamps (`renames`); an unsaved one whose own stamps can't be believed any more gets new ones as well [L7].
 */
export function repeatUnsaved(
  replica: Replica,
  writer: Writer,
  dropped: readonly PendingOperation[],
  renames: Map<string, Stamp>,
): void {
  const contents = new Map<EntityKey, EntityContent>()
  const { tick, isBelievable } = writer.hybridClock
  for (const unsaved of replica.unsaved()) {
    const operation = timesOf(unsaved).every(isBelievable)
      ? renameInOperation(unsaved, renames)
      : restampOperation(unsaved, writer.actor(), tick, renames)
    const parts = operation.parts.map((part): PendingPart => {
      const key = keyOf(part)
      const gone = dropped.flatMap((other) =>
        other.parts
          .filter((candidate) => keyOf(candidate) === key)
          .flatMap((candidate) => candidate.writes),
      )
      const writes = inheritSuperseded(part.writes, gone)
      const client = writer.client()
      const base = contents.get(key) ?? savedContent(replica, part)
      const { content, update } = writeRegisters(base, client, writes)
      contents.set(key, content)
      return { ...part, writes, client, update }
    })
    replica.restage({ ...operation, parts })
  }
}

/** An entity as far as it is saved. */
export function savedContent(replica: Replica, ref: EntityRef): EntityContent {
  const confirmed = replica.entity(ref)?.confirmed
  const updates = confirmed === undefined ? [] : [confirmed.bytes]
  for (const operation of replica.savedOn(ref)) {
    for (const part of operation.parts) if (keyOf(part) === keyOf(ref)) updates.push(part.update)
  }
  return updates.length === 0 ? EMPTY_CONTENT : decodeContent(mergeUpdates(updates))
}

/**
 * The renames of operations that were stamped anew and confirmed before this tab read their rows again. Nothing tells
 * their new stamps, so the elements are known by what a new stamp leaves as it was.
 *
 * @param left operations that have left the outbox, as this tab knew them
 */
export function noteConfirmedRenames(
  left: readonly PendingOperation[],
  replica: Replica,
  renames: Map<string, Stamp>,
): void {
  const superseded = new Set(
    replica
      .unsaved()
      .flatMap(({ parts }) => parts.flatMap(({ writes }) => writes))
      .flatMap(({ supersedes }) => supersedes.map(nameOf)),
  )
  for (const part of left.flatMap(({ parts }) => parts)) {
    const sets = part.writes
      .filter((write) => write.kind === 'set')
      .filter((write) => superseded.has(nameOf(write)))
    if (sets.length === 0) continue
    const { live } = savedContent(replica, part)
    for (const write of sets) {
      if (live.some((element) => sameStamp(element, write))) continue
      const renamed = live.find((element) => isAgain(element, write))
      if (renamed === undefined) continue
      renames.set(nameOf(write), { lastModified: renamed.lastModified, actor: renamed.actor })
    }
  }
}

function isAgain(element: LiveElement, write: Extract<RegisterWrite, { kind: 'set' }>): boolean {
  return (
    element.field === write.field &&
    element.sequence === write.sequence &&
    sameValue(element.value, write.value) &&
    replicaOf(element.actor) === replicaOf(write.actor)
  )
}

/** `user/replica` of an actor. */
function replicaOf(actor: string): string {
  const user = userOf(actor)
  const [, replica = ''] = actor.slice(user.length).split('/')
  return `${user}/${replica}`
}
