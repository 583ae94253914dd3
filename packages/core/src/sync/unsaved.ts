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
  supersededBy,
  userOf,
} from '../entity/index.js'
import {
  bequeath,
  createSayer,
  currentGeneration,
  currentLife,
  type EntityKey,
  type EntityRef,
  inheritSuperseded,
  itemTableWithout,
  keyOf,
  type MovedText,
  nameOf,
  type PendingOperation,
  type PendingPart,
  type Replica,
  renameInOperation,
  restampOperation,
  type Sayer,
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

/** What became of saved operations. */
export interface OutboxChange {
  /** Those that have left the chain. */
  readonly dropped: readonly PendingOperation[]
  /** Those that have changed or left, as this tab knew them. */
  readonly former: readonly PendingOperation[]
  /** Where text went that was said again, the latest last. */
  readonly moves: readonly MovedText[]
  /** Those that have new stamps. */
  readonly renames: Map<string, Stamp>
}

/**
 * Says what isn't saved yet again, on top of a rebased outbox [L11]. An unsaved operation whose own stamps can't be
 * believed any more gets new ones as well [L7].
 */
export function repeatUnsaved(replica: Replica, writer: Writer, change: OutboxChange): void {
  const documents = new Map<EntityKey, Repetition>()
  const { tick, isBelievable } = writer.hybridClock
  for (const unsaved of replica.unsaved()) {
    const operation = timesOf(unsaved).every(isBelievable)
      ? renameInOperation(unsaved, change.renames)
      : restampOperation(unsaved, writer.actor(), tick, change.renames)
    const parts = operation.parts.map((part): PendingPart => {
      const key = keyOf(part)
      const document = documents.get(key) ?? repetition(replica, part, writer.client(), change)
      const own = inheritSuperseded(part.writes, document.gone)
      const writes = document.migration.length > 0 ? [...document.migration, ...own] : own
      documents.set(key, { ...document, migration: [] })
      return document.sayer.say({ ...part, writes })
    })
    replica.restage({ ...operation, parts })
  }
}

/** What saying the unsaved operations of one entity again builds on. */
interface Repetition {
  /** What the next part says before its own writes. */
  readonly migration: readonly RegisterWrite[]
  readonly gone: readonly RegisterWrite[]
  readonly sayer: Sayer
}

function repetition(
  replica: Replica,
  ref: EntityRef,
  client: number,
  { dropped, former, moves }: OutboxChange,
): Repetition {
  const goneParts = partsOn(dropped, ref)
  const content = savedContent(replica, ref)
  const known = [...partsOn(former, ref), ...partsOn(replica.unsaved(), ref)]
  const items = itemTableWithout(goneParts, {
    updates: [...savedUpdates(replica, ref), ...known.map(({ update }) => update)],
    clocks: content.clocks,
    moves: moves.filter(({ entity }) => entity === keyOf(ref)),
  })
  // What was saved has come before, and has the migration already.
  const [heir] = partsOn([...replica.savedOn(ref), ...replica.unsaved()], ref)
  const saved = partsOn(replica.savedOn(ref), ref)
  const generation = currentGeneration(replica.entity(ref)?.confirmed, saved)
  const sayer = createSayer({ generation, content, client, items })
  return { ...bequeath(heir, goneParts), sayer }
}

function partsOn(operations: readonly PendingOperation[], ref: EntityRef): PendingPart[] {
  const key = keyOf(ref)
  return operations.flatMap(({ parts }) => parts.filter((part) => keyOf(part) === key))
}

/** An entity as far as it is saved. */
export function savedContent(replica: Replica, ref: EntityRef): EntityContent {
  const updates = savedUpdates(replica, ref)
  return updates.length === 0 ? EMPTY_CONTENT : decodeContent(mergeUpdates(updates))
}

function savedUpdates(replica: Replica, ref: EntityRef): Uint8Array[] {
  const saved = partsOn(replica.savedOn(ref), ref)
  const { confirmed, parts } = currentLife(replica.entity(ref)?.confirmed, saved)
  const updates = confirmed === undefined ? [] : [confirmed.bytes]
  for (const { update } of parts) updates.push(update)
  return updates
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
      .flatMap((write) => supersededBy(write).map(nameOf)),
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
