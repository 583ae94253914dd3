import {
  createItemTable,
  decodeContent,
  EMPTY_CONTENT,
  type EntityContent,
  type Former,
  type ItemTable,
  lifeOf,
  mergeUpdates,
  movedRun,
  type RegisterWrite,
  SCHEMA_FIELD,
  type Stamp,
  sameStamp,
  skipItems,
  writeRegisters,
} from '../entity/index.js'
import {
  type ConfirmedEntity,
  type EntityKey,
  type EntityRef,
  keyOf,
  type MovedText,
  type PendingOperation,
  type PendingPart,
} from './records.js'

/**
 * Says the surviving parts of one entity again on top of its confirmed snapshot, in outbox order, under a client id
 * that the entity hasn't seen [L14]. Stamps stay [L1]; each write deletes exactly what it had superseded [L2]; text finds its
 * place beside what is still there [L15], under whichever of its ids that was accepted (`moves`).
 */
export function rebaseParts(
  confirmed: ConfirmedEntity | undefined,
  parts: readonly PendingPart[],
  client: number,
  dropped: readonly PendingPart[] = [],
  moves: readonly MovedText[] = [],
): PendingPart[] {
  const content = confirmed === undefined ? EMPTY_CONTENT : decodeContent(confirmed.bytes)
  const updates = confirmed === undefined ? [] : [confirmed.bytes]
  for (const { update } of [...dropped, ...parts]) updates.push(update)
  const items = itemTableWithout(dropped, { updates, clocks: content.clocks, moves })
  const { say } = createSayer({ generation: confirmed?.generation, content, client, items })
  return parts.map(say)
}

/** Says parts of one entity again, one on top of the other. */
export interface Sayer {
  say(part: PendingPart): PendingPart
}

export interface SayerOptions {
  /** The generation of the document that they are said on; undefined when there is none. */
  readonly generation: string | undefined
  readonly content: EntityContent
  readonly client: number
  readonly items: ItemTable
}

export function createSayer({ generation, content: first, client, items }: SayerOptions): Sayer {
  let content = first
  let life = generation === undefined ? undefined : lifeOf(generation)
  return {
    say(part) {
      const own = lifeOf(part.generation)
      // Of a life that is over: it stays as it is, until the relay refuses it [L23].
      if (life !== undefined && own < life) return part
      if (life !== undefined && own > life) content = EMPTY_CONTENT
      life = own
      const said = sayPartAgain(part, content, client, items)
      content = said.content
      const isThere = generation !== undefined && lifeOf(generation) === own
      return isThere ? { ...said.part, generation } : said.part
    },
  }
}

export function itemTableWithout(dropped: readonly PendingPart[], former?: Former): ItemTable {
  const items = createItemTable(former)
  for (const { edit } of dropped) if (edit !== null) items.drop(edit)
  return items
}

/** Where the text of parts went that were said again, by their place in both lists. */
export function movedTexts(
  before: readonly PendingPart[],
  after: readonly PendingPart[],
): MovedText[] {
  return before.flatMap((part, place) => {
    const now = after[place]?.edit
    const run = part.edit === null || !now ? undefined : movedRun(part.edit, now)
    return run === undefined ? [] : { entity: keyOf(part), ...run }
  })
}

export function itemTableOf(moves: readonly MovedText[]): ItemTable {
  const items = createItemTable()
  for (const run of moves) items.move(run)
  return items
}

/** A parked part whose text stays beside what it was typed next to, wherever that is now. */
export function followItems(part: PendingPart, items: ItemTable): PendingPart {
  return part.edit === null ? part : { ...part, edit: items.follow(part.edit) }
}

/** Says one part again as the next thing that `client` writes into a document. Its `shared` values aren't followed. */
export function sayPartAgain(
  part: PendingPart,
  content: EntityContent,
  client: number,
  items: ItemTable,
): { readonly part: PendingPart; readonly content: EntityContent } {
  if (part.edit === null) {
    const written = writeRegisters(content, client, part.writes)
    return { part: { ...part, client, update: written.update }, content: written.content }
  }
  const clock = content.clocks.get(client) ?? 0
  const edit = items.sayAgain(part.edit, { client, clock })
  const edited = skipItems(content, client, edit.items)
  const written = writeRegisters(edited, client, part.writes)
  const update = joinEdit(edit.update, written.update)
  return { part: { ...part, client, edit: edit.update, update }, content: written.content }
}

/** The bytes of an edit and of the registers that were written after it, as one update. */
export function joinEdit(edit: Uint8Array | null, registers: Uint8Array): Uint8Array {
  return edit === null ? registers : mergeUpdates([edit, registers])
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
    if (write.kind === 'increment') return write
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

/**
 * What dropped parts leave to the survivors on their entity, of which `heir` is the first. A migration belongs to the entity
 * and not to the change that it was written with: the survivors were made on top of it, and without it the values that they
 * wrote would be taken for those of an older version. So the heir says it again; the rest is `gone`.
 */
export function bequeath(
  heir: PendingPart | undefined,
  dropped: readonly PendingPart[],
): { readonly migration: readonly RegisterWrite[]; readonly gone: readonly RegisterWrite[] } {
  const writes = dropped.flatMap((part) => part.writes)
  if (heir === undefined) return { migration: [], gone: writes }
  const kept = new Map<string, RegisterWrite>()
  const own = new Map(migrationIn(heir).map((write) => [write.field, write]))
  for (const write of dropped.flatMap(migrationIn)) {
    const said = own.get(write.field)
    if (said !== undefined && !isSameWrite(said, write)) continue
    // The last one of a field counts, and stands in its own place: the version ends the migration.
    kept.delete(write.field)
    kept.set(write.field, write)
  }
  const gone = writes.filter((write) => kept.get(write.field) !== write)
  const migration = [...kept.values()].filter(({ field }) => !own.has(field))
  return { migration: inheritSuperseded(migration, gone), gone }
}

/** The writes of a part that a migration made: those up to the version. */
function migrationIn({ kind, writes }: PendingPart): readonly RegisterWrite[] {
  if (kind === 'create') return []
  return writes.slice(0, writes.findIndex(({ field }) => field === SCHEMA_FIELD) + 1)
}

function isSameWrite(a: RegisterWrite, b: RegisterWrite): boolean {
  return a.kind === 'set' && b.kind === 'set' && sameStamp(a, b)
}

function union(stamps: readonly Stamp[], more: readonly Stamp[]): readonly Stamp[] {
  return [...stamps, ...more.filter((stamp) => !stamps.some((other) => sameStamp(other, stamp)))]
}

/**
 * Every operation that has to go when `rejected` goes: an operation is atomic over its parts; those on an entity that was
 * never confirmed and whose creation goes have nothing to stand on; nor has text that was typed into the middle of text
 * that goes [L15].
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
      const pending = pendingOn(key)
      for (const other of [
        ...withoutCreation(part, pending, dropped, isConfirmed(key)),
        ...withoutText(part, pending),
      ]) {
        if (!dropped.includes(other)) dropped.push(other)
      }
    }
  }
  return dropped
}

function withoutCreation(
  part: PendingPart,
  pending: readonly PendingOperation[],
  dropped: readonly PendingOperation[],
  isConfirmed: boolean,
): readonly PendingOperation[] {
  if (part.kind !== 'create' || isConfirmed) return []
  const creates = (other: PendingOperation): boolean => partOn(other, part)?.kind === 'create'
  // Another creation of the same id carries what comes after it.
  const next = pending.findIndex((other) => !dropped.includes(other) && creates(other))
  return next < 0 ? pending : pending.slice(0, next)
}

function withoutText(
  part: PendingPart,
  pending: readonly PendingOperation[],
): readonly PendingOperation[] {
  if (part.edit === null) return []
  const gone = itemTableWithout([part])
  return pending.filter((other) => {
    const edit = partOn(other, part)?.edit ?? null
    return edit !== null && edit !== part.edit && gone.breaks(edit)
  })
}

function partOn(operation: PendingOperation, ref: EntityRef): PendingPart | undefined {
  return operation.parts.find((part) => part.id === ref.id && part.collection === ref.collection)
}
