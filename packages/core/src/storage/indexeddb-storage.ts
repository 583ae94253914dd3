import { type DBSchema, deleteDB, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb'
import { TidemarkError } from '../errors.js'
import type {
  ConfirmedEntity,
  EntityRef,
  StoredOperation,
  StoredSnapshot,
} from '../replica/index.js'
import {
  isEmptyPlan,
  type ReplicaMeta,
  type ReplicaStorage,
  type SpaceRow,
  spaceAfter,
} from './port.js'

/**
 * Layout, version 1. It is meant to stay: a tab that sleeps makes a native version change hang without any event
 * (reliability F8), so rows grow new properties instead.
 */
interface Layout extends DBSchema {
  /** The device's own row under `replica`, and the snapshots of an entity under `snapshots:<space>/<entity>`. */
  meta: { key: string; value: ReplicaMeta | readonly StoredSnapshot[] }
  spaces: { key: string; value: SpaceRow }
  entities: {
    key: [space: string, collection: string, id: string]
    value: ConfirmedEntity & { readonly space: string; readonly change: number }
    indexes: { change: [space: string, change: number] }
  }
  outbox: {
    key: number
    value: Omit<StoredOperation, 'order'> & {
      readonly order?: number
      readonly space: string
      readonly change: number
    }
    indexes: { change: [space: string, change: number]; space: string }
  }
}

const STORES = ['meta', 'spaces', 'entities', 'outbox'] as const
type Transaction<Mode extends IDBTransactionMode> = IDBPTransaction<Layout, typeof STORES, Mode>

/** A first open can hang for ever in some browsers (reliability B1); afterwards it is a question of milliseconds. */
const OPEN_TIMEOUT_MS = 10_000
/** Another tab that was stopped inside of a transaction blocks ours (reliability F7). */
const TRANSACTION_TIMEOUT_MS = 20_000

/**
 * A storage in IndexedDB, one database a user and relay. Every transaction is one synchronous burst, and counts as
 * done on `complete` only: a full disk shows at commit, after every request has succeeded (reliability F5).
 *
 * @throws TidemarkError `storage-failed` from every method when the browser refuses or doesn't answer in time.
 */
export function createIndexedDbStorage(name: string): ReplicaStorage {
  let database: Promise<IDBPDatabase<Layout>> | undefined

  function connection(): Promise<IDBPDatabase<Layout>> {
    database ??= withDeadline(openLayout(name, forget), OPEN_TIMEOUT_MS, 'opening').catch(
      (error) => {
        forget()
        throw failure('opened', error)
      },
    )
    return database
  }

  function forget(): void {
    database = undefined
  }

  async function attempt<T, Mode extends IDBTransactionMode>(
    what: string,
    mode: Mode,
    work: (tx: Transaction<Mode>) => Promise<T>,
  ): Promise<T> {
    const db = await connection()
    let tx: Transaction<Mode> | undefined
    try {
      tx = db.transaction(STORES, mode, { durability: mode === 'readwrite' ? 'strict' : 'default' })
      return await withDeadline(work(tx), TRANSACTION_TIMEOUT_MS, what)
    } catch (error) {
      // Half of it, or all of it after its time, must not be committed behind the caller's back.
      if (tx !== undefined) abandon(tx)
      if (error instanceof Refused) throw error.cause
      // The handle may be the problem ("connection lost", reliability B2): the next call opens a new one.
      db.close()
      forget()
      throw failure(what, error)
    }
  }

  return {
    open(space, identity) {
      return attempt('read', 'readwrite', async (tx) => {
        const [known, row, entities, operations] = await Promise.all([
          findMeta(tx.objectStore('meta').get('replica')),
          tx.objectStore('spaces').get(space),
          tx.objectStore('entities').getAll(IDBKeyRange.bound([space], [space, []])),
          tx.objectStore('outbox').index('space').getAll(space),
        ])
        const meta = known ?? { replica: identity(), change: 0, rebases: 0, clients: [], moves: [] }
        if (known === undefined) await tx.objectStore('meta').put(meta, 'replica')
        await tx.done
        return {
          meta,
          space: spaceAfter(row),
          entities,
          operations: operations.map(withOrder).sort((a, b) => a.order - b.order),
        }
      })
    },
    readSince(space, change) {
      return attempt('read', 'readonly', async (tx) => {
        const inSpace = IDBKeyRange.bound([space, change], [space, Number.POSITIVE_INFINITY], true)
        const [meta, row, entities, operations, orders] = await Promise.all([
          requireMeta(tx.objectStore('meta').get('replica')),
          tx.objectStore('spaces').get(space),
          tx.objectStore('entities').index('change').getAll(inSpace),
          tx.objectStore('outbox').index('change').getAll(inSpace),
          tx.objectStore('outbox').index('space').getAllKeys(space),
        ])
        await tx.done
        return {
          meta,
          space: spaceAfter(row),
          entities,
          operations: operations.map(withOrder),
          orders,
        }
      })
    },
    write(space, read, decide) {
      return attempt('written', 'readwrite', async (tx) => {
        const metaStore = tx.objectStore('meta')
        const entityStore = tx.objectStore('entities')
        const outbox = tx.objectStore('outbox')
        const [before, row, entities, operations] = await Promise.all([
          requireMeta(metaStore.get('replica')),
          tx.objectStore('spaces').get(space),
          Promise.all((read.entities ?? []).map((ref) => entityStore.get(entityKey(space, ref)))),
          Promise.all((read.operations ?? []).map((order) => outbox.get(order))),
        ])
        const plan = refusable(() =>
          decide({
            meta: before,
            space: spaceAfter(row),
            entities,
            operations: operations.map((operation) => operation && withOrder(operation)),
          }),
        )
        if (isEmptyPlan(plan)) {
          await tx.done
          return {
            committed: false,
            meta: before,
            space: spaceAfter(row),
            entities: [],
            operations: [],
            gone: [],
            removed: [],
          }
        }
        const meta = { ...before, ...plan.meta, change: before.change + 1 }
        const spaceRow = spaceAfter(row, plan)
        const stamp = { space, change: meta.change }
        note(metaStore.put(meta, 'replica'))
        if (plan.space !== undefined || plan.removeEntities?.length)
          note(tx.objectStore('spaces').put(spaceRow, space))
        for (const ref of plan.removeEntities ?? []) note(entityStore.delete(entityKey(space, ref)))
        for (const entity of plan.putEntities ?? []) note(entityStore.put({ ...entity, ...stamp }))
        for (const order of plan.deleteOperations ?? []) note(outbox.delete(order))
        for (const operation of plan.putOperations ?? [])
          note(outbox.put({ ...operation, ...stamp }))
        const additions = plan.addOperations ?? []
        const keys = additions.map((operation) => {
          const key = outbox.add({ ...operation, ...stamp })
          note(key)
          return key
        })
        tx.commit()
        const [orders] = await Promise.all([Promise.all(keys), tx.done])
        const added = additions.map((operation, index) => ({
          ...operation,
          order: orders[index] ?? 0,
        }))
        return {
          committed: true,
          meta,
          space: spaceRow,
          entities: plan.putEntities ?? [],
          operations: [...(plan.putOperations ?? []), ...added],
          gone: plan.deleteOperations ?? [],
          removed: plan.removeEntities ?? [],
        }
      })
    },
    close() {
      void database?.then(
        (db) => db.close(),
        () => undefined,
      )
      forget()
    },
    snapshots(space, entity, change = (current) => current) {
      return attempt('written', 'readwrite', async (tx) => {
        const store = tx.objectStore('meta')
        const key = `snapshots:${space}/${entity}`
        const current = ((await store.get(key)) ?? []) as readonly StoredSnapshot[]
        const after = refusable(() => change(current))
        if (after !== current) note(store.put(after, key))
        await tx.done
        return after
      })
    },
    async destroy() {
      this.close()
      await withDeadline(deleteDB(name), OPEN_TIMEOUT_MS, 'deleting').catch((error) => {
        throw failure('deleted', error)
      })
    },
  }
}

async function openLayout(name: string, onLost: () => void): Promise<IDBPDatabase<Layout>> {
  const db = await openDB<Layout>(name, 1, {
    upgrade(fresh) {
      fresh.createObjectStore('meta')
      fresh.createObjectStore('spaces')
      const entities = fresh.createObjectStore('entities', {
        keyPath: ['space', 'collection', 'id'],
      })
      entities.createIndex('change', ['space', 'change'])
      const outbox = fresh.createObjectStore('outbox', { keyPath: 'order', autoIncrement: true })
      outbox.createIndex('change', ['space', 'change'])
      outbox.createIndex('space', 'space')
    },
    terminated: onLost,
    // Another tab wants to delete the database (a logout): never stand in its way.
    blocking: () => {
      db.close()
      onLost()
    },
  })
  return db
}

/** The decision itself threw: nothing is wrong with the database. */
class Refused extends Error {}

function refusable<T>(decide: () => T): T {
  try {
    return decide()
  } catch (cause) {
    throw new Refused('refused', { cause })
  }
}

function abandon(tx: { abort(): void; readonly done: Promise<void> }): void {
  tx.done.catch(() => undefined)
  try {
    tx.abort()
  } catch {
    // It is over already, or on its way to the disk.
  }
}

/** A request that fails takes its transaction with it, and `done` tells of that. */
function note(request: Promise<unknown>): void {
  request.catch(() => undefined)
}

function entityKey(space: string, ref: EntityRef): [string, string, string] {
  return [space, ref.collection, ref.id]
}

function withOrder(row: Layout['outbox']['value']): StoredOperation {
  // IndexedDB fills the key path in; the types can't say so.
  return row as Layout['outbox']['value'] & { readonly order: number }
}

/** The device's own row; one that an earlier version wrote has no moves. */
async function findMeta(
  found: Promise<Layout['meta']['value'] | undefined>,
): Promise<ReplicaMeta | undefined> {
  const row = (await found) as ReplicaMeta | undefined
  return row && { ...row, moves: row.moves ?? [] }
}

async function requireMeta(
  found: Promise<Layout['meta']['value'] | undefined>,
): Promise<ReplicaMeta> {
  const meta = await findMeta(found)
  if (meta === undefined) {
    throw new Error('the database was emptied while it was in use')
  }
  return meta
}

/** Rejects after `milliseconds`; the work itself can't be stopped and is left alone. */
function withDeadline<T>(work: Promise<T>, milliseconds: number, what: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${what} took longer than ${milliseconds / 1000} s`)),
      milliseconds,
    )
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

function failure(what: string, cause: unknown): TidemarkError {
  const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
  return new TidemarkError(
    'storage-failed',
    `The local database can't be ${what} (${why}). What was saved before is untouched; free some space or reload the page, then try again.`,
    { cause },
  )
}
