import type { Stamp } from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import type { Cancel, Clock } from '../platform/index.js'
import {
  type ConfirmedEntity,
  keyOf,
  noteRenames,
  type OperationFailure,
  type PendingOperation,
  type Replica,
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
import { noteConfirmedRenames, repeatUnsaved, type Writer } from './unsaved.js'

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
  readonly writer: Writer
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
    const renames = new Map<string, Stamp>()
    const left: PendingOperation[] = []
    const former: PendingOperation[] = []
    // What was written for a former life of the relay's database may be known to it under another's name.
    let displaced = space.epoch !== null && rows.space.epoch !== space.epoch
    const replaced = new Set(rows.operations.map((operation) => operation.id))
    for (const order of rows.gone) {
      const operation = replica.savedAt(order)
      if (operation === undefined || replaced.has(operation.id)) continue
      left.push(operation)
      former.push(operation)
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
      if (before === undefined) continue
      former.push(before)
      noteRenames(before, operation, renames)
      if (wasDisplaced(before, operation, handlers.writer.client())) displaced = true
    }
    meta = rows.meta
    space = rows.space
    replica.absorb(rows)
    if (displaced) handlers.displaced()
    if (replica.unsaved().length > 0) {
      noteConfirmedRenames(left, replica, renames)
      if (rebased || renames.size > 0)
        repeatUnsaved(replica, handlers.writer, { dropped, former, moves: meta.moves, renames })
    }
    for (const settlement of settlements) handlers.settled(settlement)
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
    // What others did in between, rebases and removals included, is taken over by the `catchUp` that follows.
    const reached = seamless
      ? written
      : {
          ...written,
          meta: { ...written.meta, change: meta.change, rebases: meta.rebases },
          space: { ...written.space, removals: space.removals, epoch: space.epoch },
        }
    absorb(reached)
    handlers.committed(written.meta.change)
    return seamless
  }

  async function catchUp(): Promise<void> {
    const news = await storage.readSince(spaceName, meta.change)
    const isAll = news.space.removals !== space.removals
    const rows = isAll ? await storage.readSince(spaceName, -1) : news
    const present = new Set(rows.orders)
    const gone: number[] = []
    for (const operation of replica.saved())
      if (!present.has(operation.order)) gone.push(operation.order)
    absorb({ ...rows, gone, removed: isAll ? missingIn(rows.entities) : [] })
  }

  function missingIn(entities: readonly ConfirmedEntity[]): ConfirmedEntity[] {
    const keys = new Set(entities.map(keyOf))
    return [...replica.confirmed()].filter((entity) => !keys.has(keyOf(entity)))
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
