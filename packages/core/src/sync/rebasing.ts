import type { ItemTable } from '../entity/index.js'
import {
  bequeath,
  type ConfirmedEntity,
  type EntityKey,
  type EntityRef,
  followItems,
  inheritSuperseded,
  isRolledBack,
  itemTableOf,
  keyOf,
  type MovedText,
  movedTexts,
  type OperationFailure,
  type PendingOperation,
  type PendingPart,
  type Replica,
  ROLLED_BACK,
  rebaseParts,
  type StoredOperation,
  withOrphans,
} from '../replica/index.js'
import type { CurrentRows, ReadSet, ReplicaMeta, WritePlan } from '../storage/index.js'

/** Saying pending operations again on top of what is confirmed, without those that are dropped [L14]. */
export interface Rebase {
  /** Entities whose pending operations are said again. */
  readonly refs: readonly EntityRef[]
  /** By operation id, why it leaves the chain [L12]. */
  readonly dropped: ReadonlyMap<string, OperationFailure>
}

/** Drops a rejected operation with everything that can't stand without it. */
export function rebaseWithout(
  replica: Replica,
  rejected: StoredOperation,
  failure: OperationFailure,
): Rebase {
  const orphans = withOrphans(
    rejected,
    (key) => replica.entity(refOf(key))?.pending ?? [],
    (key) => replica.entity(refOf(key))?.confirmed !== undefined,
  )
  const dropped = new Map<string, OperationFailure>()
  for (const { id } of orphans) {
    dropped.set(id, id === rejected.id ? failure : orphaned(rejected, failure))
  }
  return { refs: refsOf(orphans), dropped }
}

/** Says everything on an operation's entities again, with nothing dropped. */
export function rebaseAround(operation: StoredOperation): Rebase {
  return { refs: refsOf([operation]), dropped: new Map() }
}

function refsOf(operations: readonly PendingOperation[]): EntityRef[] {
  const refs = new Map<EntityKey, EntityRef>()
  for (const operation of operations) {
    for (const { collection, id } of operation.parts) {
      refs.set(keyOf({ collection, id }), { collection, id })
    }
  }
  return [...refs.values()]
}

function refOf(key: EntityKey): EntityRef {
  const slash = key.indexOf('/')
  return { collection: key.slice(0, slash), id: key.slice(slash + 1) }
}

/** The rows that `planRebase` decides upon: all operations on the entities, parked ones too. */
export function rebaseReadSet(replica: Replica, { refs, dropped }: Rebase): Required<ReadSet> {
  const orders = new Set<number>()
  for (const id of dropped.keys()) {
    const order = replica.orderOf(id)
    if (order !== undefined) orders.add(order)
  }
  for (const ref of refs) {
    for (const { order } of replica.savedOn(ref)) orders.add(order)
    for (const { id } of replica.entity(ref)?.failed ?? []) {
      const order = replica.orderOf(id)
      if (order !== undefined) orders.add(order)
    }
  }
  return { entities: refs, operations: [...orders].sort((a, b) => a - b) }
}

/**
 * Parks the dropped operations and says the survivors again, all in one transaction. Plans nothing when the rows aren't
 * what the rebase was made from.
 */
export function planRebase(
  { dropped }: Rebase,
  read: Required<ReadSet>,
  current: CurrentRows,
  { client, clients }: FreshClient,
): WritePlan {
  const rows = current.operations.filter((row) => row !== undefined)
  if (rows.length < read.operations.length) return {}
  if (rows.some((row) => row.failure !== null && dropped.has(row.id))) return {}

  const parked = new Map<number, StoredOperation>()
  const survivors = new Map<number, StoredOperation>()
  /** Those that had been parked before: what they refer to may be somewhere else now. */
  const waiting = new Map<number, StoredOperation>()
  for (const row of rows) {
    const failure = dropped.get(row.id)
    if (failure !== undefined) parked.set(row.order, { ...row, failure })
    else if (row.failure === null) survivors.set(row.order, row)
    else waiting.set(row.order, row)
  }
  if (parked.size === 0 && survivors.size === 0) return {}
  const moves: MovedText[] = []
  for (const [index, ref] of read.entities.entries()) {
    const key = keyOf(ref)
    const goneParts = [...parked.values()].flatMap((row) => partOn(row, key) ?? [])
    const heir = [...survivors.values()].find((row) => partOn(row, key) !== undefined)
    const heirPart = heir && partOn(heir, key)
    const { migration, gone } = bequeath(heirPart, goneParts)
    const said = sayAgain(
      survivors,
      ref,
      current.entities[index],
      client,
      current.meta.moves,
      (part) => {
        const writes = inheritSuperseded(part.writes, gone)
        return { ...part, writes: part === heirPart ? [...migration, ...writes] : writes }
      },
      goneParts,
    )
    moves.push(...said)
    for (const rows of [parked, waiting]) followInParked(rows, key, itemTableOf(said))
  }
  const followed = [...waiting.values()].filter((row) => !rows.includes(row))
  return {
    meta: rebasedMeta(current.meta, { client, clients }, moves),
    putOperations: [...[...parked.values()].map(emptied), ...survivors.values(), ...followed],
  }
}

/** A client id that nobody has used, and the list of ids that can be leased with it. */
export interface FreshClient {
  readonly client: number
  readonly clients: readonly number[]
}

/** More than are made while a tab is saving what it has just typed. */
const KEPT_MOVES = 64

/** What a device keeps about itself after its outbox was said again. */
export function rebasedMeta(
  before: ReplicaMeta,
  { clients }: FreshClient,
  moves: readonly MovedText[],
): NonNullable<WritePlan['meta']> {
  const kept = moves.length === 0 ? before.moves : [...before.moves.slice(-KEPT_MOVES), ...moves]
  return { rebases: before.rebases + 1, clients, moves: kept }
}

/** What was rolled back is nobody's any more; only the fact stays. */
function emptied(row: StoredOperation): StoredOperation {
  return isRolledBack(row) ? { ...row, parts: [] } : row
}

/** Keeps text that is parked beside what it was typed next to [L15]. */
export function followInParked(
  parked: Map<number, StoredOperation>,
  key: EntityKey,
  moved: ItemTable,
): void {
  for (const row of parked.values()) {
    const parts = row.parts.map((own) => (keyOf(own) === key ? followItems(own, moved) : own))
    if (parts.some((part, place) => part !== row.parts[place]))
      parked.set(row.order, { ...row, parts })
  }
}

/**
 * Puts parts on one entity that say the same on top of what is confirmed in the place of those in `operations`. Returns where
 * their text went.
 */
export function sayAgain(
  operations: Map<number, StoredOperation>,
  ref: EntityRef,
  confirmed: ConfirmedEntity | undefined,
  client: number,
  moves: readonly MovedText[],
  adapt: (part: PendingPart) => PendingPart = (part) => part,
  dropped: readonly PendingPart[] = [],
): MovedText[] {
  const key = keyOf(ref)
  const owners: StoredOperation[] = []
  const before: PendingPart[] = []
  for (const row of operations.values()) {
    const part = partOn(row, key)
    if (part === undefined) continue
    owners.push(row)
    before.push(adapt(part))
  }
  const own = moves.filter(({ entity }) => entity === key)
  const after = rebaseParts(confirmed, before, client, dropped, own)
  for (const [position, row] of owners.entries()) {
    const next = row.parts.map((part) => (keyOf(part) === key ? (after[position] ?? part) : part))
    operations.set(row.order, { ...row, parts: next })
  }
  return movedTexts(before, after)
}

function partOn(operation: PendingOperation, key: EntityKey): PendingPart | undefined {
  return operation.parts.find((part) => keyOf(part) === key)
}

function orphaned(rejected: PendingOperation, failure: OperationFailure): OperationFailure {
  const fate = failure.code === ROLLED_BACK.code ? 'rolled back' : 'rejected'
  return {
    code: 'predecessor-rejected',
    message: `It builds on operation ${rejected.id}, which was ${fate}.`,
  }
}
