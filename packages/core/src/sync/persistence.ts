import {
  decodeContent,
  EMPTY_CONTENT,
  type EntityContent,
  type ItemTable,
  mergeUpdates,
  type RegisterWrite,
} from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import type { Cancel, Clock } from '../platform/index.js'
import {
  type EntityKey,
  type EntityRef,
  inheritSuperseded,
  itemTableWithout,
  keyOf,
  type OperationFailure,
  type PendingOperation,
  type PendingPart,
  type Replica,
  sayPartAgain,
} from '../replica/index.js'
import type {
  CurrentRows,
  ReadSet,
  ReplicaMeta,
  ReplicaStorage,
  SpaceRow,
  WritePlan,
  Written,
} from '../storage/index.js'

/** What became of an operation, as far as this tab can see. */
export type Settlement =
  | { readonly kind: 'saved'; readonly id: string }
  | { readonly kind: 'synced'; readonly id: string }
  | { readonly kind: 'failed'; readonly id: string; readonly failure: OperationFailure }
  | { readonly kind: 'discarded'; readonly id: string }

export interface PersistenceHandlers {
  settled(settlement: Settlement): void
  /** This tab wrote rows: tell the other tabs. */
  committed(change: number): void
  /** The storage failed, or works again. */
  troubled(error: TidemarkError | undefined): void
  /** The outbox was said again: what of this tab is no operation yet has to become one first [L11]. */
  rebasing(): void
  /** Operations of this tab were said again under another client id: never use the old one again. */
  displaced(): void
  /** The client id that this tab writes under now. */
  client(): number
}

/**
 * Keeps the replica in memory and the storage in step. Whatever touches the storage goes through one queue, so
 * that the memory takes transactions over in the order they were committed.
 */
export interface Persistence {
  readonly meta: ReplicaMeta
  readonly space: SpaceRow
  /** Saves operations that were staged. Returns at once. */
  save(): void
  /** Runs a transaction and takes its outcome over. @throws TidemarkError `storage-failed`, or what `decide` throws */
  write(read: ReadSet, decide: (current: CurrentRows) => WritePlan): Promise<Written>
  /**
   * The same for a transaction that only holds on top of everything that was written before it. `prepare` runs when the
   * memory has all of that; if another tab commits in between, nothing is written.
   */
  writeOnLatest(prepare: () => PreparedWrite | undefined): Promise<Written | undefined>
  /** Takes over what other tabs wrote. */
  refresh(): Promise<void>
  /** Resolves when everything that was queued before is done. */
  idle(): Promise<void>
  close(): Promise<void>
}

export interface PreparedWrite {
  readonly read: ReadSet
  readonly decide: (current: CurrentRows) => WritePlan
}

/** Enough that a burst of writes shares a commit, little enough that one commit doesn't stall the tab. */
const MAX_BATCH = 512
const RETRY_BASE_MS = 250
const RETRY_CAP_MS = 30_000

export function createPersistence(
  spaceName: string,
  storage: ReplicaStorage,
  replica: Replica,
  clock: Clock,
  opened: { readonly meta: ReplicaMeta; readonly space: SpaceRow },
  handlers: PersistenceHandlers,
): Persistence {
  let { meta, space } = opened
  let tail: Promise<unknown> = Promise.resolve()
  let saving = false
  let failures = 0
  let cancelRetry: Cancel = () => undefined
  let closed = false

  function enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = tail.then(work)
    tail = result.catch(() => undefined)
    return result
  }

  /** Takes rows over into memory and tells what became of operations. */
  function absorb(
    rows: Omit<Written, 'meta' | 'space' | 'committed'> & {
      readonly meta: ReplicaMeta
      readonly space: SpaceRow
    },
  ): void {
    const rebased = rows.meta.rebases !== meta.rebases
    if (rebased) handlers.rebasing()
    const settlements: Settlement[] = []
    const dropped: PendingOperation[] = []
    const moved: Moved[] = []
    let displaced = false
    const replaced = new Set(rows.operations.map((operation) => operation.id))
    for (const order of rows.gone) {
      const operation = replica.savedAt(order)
      if (operation === undefined || replaced.has(operation.id)) continue
      settlements.push({
        kind: operation.failure === null ? 'synced' : 'discarded',
        id: operation.id,
      })
    }
    for (const operation of rows.operations) {
      const before = replica.operation(operation.id)
      if (before === undefined || replica.orderOf(operation.id) === undefined) {
        settlements.push({ kind: 'saved', id: operation.id })
      }
      if (operation.failure !== null && before?.failure === null) {
        dropped.push(before)
        settlements.push({ kind: 'failed', id: operation.id, failure: operation.failure })
      }
      if (before !== undefined && operation.failure === null) moved.push({ before, operation })
      if (before !== undefined && wasDisplaced(before, operation, handlers.client()))
        displaced = true
    }
    meta = rows.meta
    space = rows.space
    replica.absorb(rows)
    if (displaced) handlers.displaced()
    if (rebased) repeatUnsaved(dropped, moved)
    for (const settlement of settlements) handlers.settled(settlement)
  }

  /** Says what isn't saved yet again, on top of a rebased outbox [L11]. */
  function repeatUnsaved(dropped: readonly PendingOperation[], moved: readonly Moved[]): void {
    const documents = new Map<EntityKey, Repetition>()
    for (const operation of replica.unsaved()) {
      const parts = operation.parts.map((part): PendingPart => {
        const key = keyOf(part)
        const document = documents.get(key) ?? repetition(part, dropped, moved)
        const writes = inheritSuperseded(part.writes, document.gone)
        const client = handlers.client()
        const { content, items } = document
        const said = sayPartAgain({ ...part, writes }, content, client, items)
        documents.set(key, { ...document, content: said.content })
        return said.part
      })
      replica.restage({ ...operation, parts })
    }
  }

  function repetition(
    ref: EntityRef,
    dropped: readonly PendingOperation[],
    moved: readonly Moved[],
  ): Repetition {
    const goneParts = partsOn(dropped, ref)
    const content = savedContent(replica, ref)
    const befores = moved.map(({ before }) => before)
    const former = [...partsOn(befores, ref), ...goneParts, ...partsOn(replica.unsaved(), ref)]
    const items = itemTableWithout(goneParts, {
      updates: [...savedUpdates(replica, ref), ...former.map(({ update }) => update)],
      clocks: content.clocks,
    })
    for (const { before, operation } of moved) {
      const [from] = partsOn([before], ref)
      const [to] = partsOn([operation], ref)
      if (from?.edit && to?.edit) items.move(from.edit, to.edit)
    }
    const gone = goneParts.flatMap(({ writes }) => writes)
    return { gone, items, content }
  }

  async function saveBatch(): Promise<void> {
    const batch = replica.unsaved().slice(0, MAX_BATCH)
    if (batch.length === 0) return
    const known = meta.rebases
    const written = await storage.write(spaceName, {}, (current) =>
      current.meta.rebases === known ? { addOperations: batch } : {},
    )
    if (!takeOver(written)) await catchUp()
  }

  /** Takes over this tab's own transaction. False when other tabs committed before it: theirs must be read as well. */
  function takeOver(written: Written): boolean {
    if (!written.committed) return written.meta.change === meta.change
    const seamless = written.meta.change === meta.change + 1
    // What others did in between, rebases included, is taken over by the `catchUp` that follows.
    const reached = seamless
      ? written.meta
      : { ...written.meta, change: meta.change, rebases: meta.rebases }
    absorb({ ...written, meta: reached })
    handlers.committed(written.meta.change)
    return seamless
  }

  async function catchUp(): Promise<void> {
    const rows = await storage.readSince(spaceName, meta.change)
    const present = new Set(rows.orders)
    const gone: number[] = []
    for (const operation of replica.saved())
      if (!present.has(operation.order)) gone.push(operation.order)
    absorb({ ...rows, gone })
  }

  async function saveAll(): Promise<void> {
    while (!closed && replica.unsaved().length > 0) {
      try {
        await enqueue(saveBatch)
        if (failures > 0) handlers.troubled(undefined)
        failures = 0
      } catch (error) {
        failures += 1
        handlers.troubled(asStorageError(error))
        const delay = Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** failures)
        await new Promise<void>((resolve) => {
          const cancel = clock.schedule(resolve, delay)
          cancelRetry = () => {
            cancel()
            resolve()
          }
        })
      }
    }
  }

  return {
    get meta() {
      return meta
    },
    get space() {
      return space
    },
    save() {
      if (saving || closed) return
      saving = true
      // A microtask later, so that what one task writes shares a commit.
      void Promise.resolve()
        .then(saveAll)
        .finally(() => {
          saving = false
          if (!closed && replica.unsaved().length > 0) this.save()
        })
    },
    write(read, decide) {
      return enqueue(async () => {
        const written = await storage.write(spaceName, read, decide)
        if (!takeOver(written)) await catchUp()
        return written
      })
    },
    writeOnLatest(prepare) {
      return enqueue(async () => {
        await catchUp()
        const prepared = prepare()
        if (prepared === undefined) return undefined
        const known = meta.change
        const written = await storage.write(spaceName, prepared.read, (current) =>
          current.meta.change === known ? prepared.decide(current) : {},
        )
        if (!takeOver(written)) await catchUp()
        return written
      })
    },
    refresh: () => enqueue(catchUp),
    idle: async () => {
      while (saving && !closed && failures === 0) await enqueue(async () => undefined)
      await tail
    },
    async close() {
      if (failures === 0) await this.idle()
      closed = true
      cancelRetry()
      await tail
    },
  }
}

/** An operation as it was, and as it was said again. */
interface Moved {
  readonly before: PendingOperation
  readonly operation: PendingOperation
}

/** What saying the unsaved operations of one entity again builds on. */
interface Repetition {
  readonly gone: readonly RegisterWrite[]
  readonly items: ItemTable
  readonly content: EntityContent
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
  const confirmed = replica.entity(ref)?.confirmed
  const updates = confirmed === undefined ? [] : [confirmed.bytes]
  for (const { update } of partsOn(replica.savedOn(ref), ref)) updates.push(update)
  return updates
}

/** Whether structs that were written under `client` have been dropped or said again under another id. */
function wasDisplaced(before: PendingOperation, after: PendingOperation, client: number): boolean {
  if (before.parts === after.parts && before.failure === after.failure) return false
  return before.parts.some(
    (part, index) =>
      part.client === client && (after.failure !== null || after.parts[index]?.client !== client),
  )
}

function asStorageError(error: unknown): TidemarkError {
  return error instanceof TidemarkError
    ? error
    : new TidemarkError('storage-failed', 'The local database failed.', { cause: error })
}
