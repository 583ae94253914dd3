import { ENTITY_ID } from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import {
  missing,
  type OperationDraft,
  type OperationInfo,
  type OperationState,
} from '../operations/index.js'
import type { Platform } from '../platform/index.js'
import type { EntityRow } from '../query/index.js'
import type { EntityRef, PendingOperation, StoredSnapshot } from '../replica/index.js'
import { type Collections, type Fields, migrate, type Schema } from '../schema/index.js'
import type { ReplicaStorage } from '../storage/index.js'
import { createEngine, type Engine } from './engine.js'
import { createObservers, derive } from './observers.js'
import { openDocument } from './open-document.js'
import type { Auth } from './options.js'
import { createRows, type Rows } from './rows.js'
import type {
  CollectionHandle,
  CollectionTransaction,
  OperationHandle,
  Operations,
  Snapshot,
  Snapshots,
  Store,
  StoreBase,
  StoreStatus,
  Transaction,
  TransactionHandle,
} from './types.js'

export interface StoreOptions<C extends Collections> {
  readonly schema: Schema<C>
  /** Who works here. The relay checks it; every write carries it. */
  readonly user: string
  /** The set of entities that is shared. Default: `default`. */
  readonly space?: string
  /** Where the relay is (`ws://` or `wss://`). Without it the store is local only. */
  readonly url?: string
  /** Gives the token that the relay asks for; called at each connection, and before a token expires. */
  readonly auth?: Auth
  /** Milliseconds without contact after which entities count as stale. Default: 24 hours. */
  readonly staleAfter?: number
}

const DAY_MS = 24 * 60 * 60 * 1000

/** Names the database, locks and channel of a user at a relay: a second user of the browser has others. */
export function storeName(options: Pick<StoreOptions<Collections>, 'user' | 'url'>): string {
  return `tidemark:${options.user}@${options.url ?? 'local'}`
}

/** Builds a store on any surroundings: a browser, Node, or a simulation. */
export function createStoreOn<C extends Collections>(
  options: StoreOptions<C>,
  platform: Platform,
  storage: ReplicaStorage,
): Store<C> {
  const { schema } = options
  const rowsOf = new Map<string, Rows<Fields>>()
  const operationObservers = createObservers()
  const statusObservers = createObservers()
  const historyObservers = createObservers()
  let outboxVersion = 0

  const engine = createEngine(
    {
      schema,
      user: options.user,
      space: options.space ?? 'default',
      url: options.url,
      auth: options.auth,
      staleAfter: options.staleAfter ?? DAY_MS,
      name: storeName(options),
    },
    platform,
    storage,
    {
      entities(keys) {
        if (keys === undefined) {
          for (const rows of rowsOf.values()) rows.invalidate()
          return
        }
        for (const [collection, ids] of byCollection(keys)) rowsOf.get(collection)?.invalidate(ids)
      },
      operations() {
        outboxVersion += 1
        operationObservers.touch()
      },
      status: () => statusObservers.touch(),
      history: () => historyObservers.touch(),
    },
  )

  const handles: Record<string, CollectionHandle> = {}
  for (const [name, { fields }] of Object.entries(schema.collections)) {
    const rows = createRows(
      name,
      fields,
      engine.replica,
      (entity) => engine.statusOf(entity),
      (id, view) => migrate(schema, name, id, view),
    )
    rowsOf.set(name, rows)
    handles[name] = collectionHandle(name, fields, engine, rows)
  }

  const store = {
    schema,
    user: options.user,
    ready: engine.ready,
    status: derive<StoreStatus>(() => engine.status, sameStatus, statusObservers),
    operations: operationsOf(engine, () => outboxVersion, operationObservers.subscribe),
    transact: (change: (transaction: Transaction<C>) => void): TransactionHandle =>
      engine.run((draft) => change(transactionOf(draft, rowsOf) as Transaction<C>)),
    presence: ((schema) => engine.presence('', schema)) satisfies StoreBase<C>['presence'],
    undo: () => engine.undo(),
    redo: () => engine.redo(),
    history: derive(
      () => ({ canUndo: engine.history.canUndo, canRedo: engine.history.canRedo }),
      (a, b) => a.canUndo === b.canUndo && a.canRedo === b.canRedo,
      historyObservers,
    ),
    reconnect: () => engine.reconnect(),
    close: () => engine.close(),
    destroy: ({ force = false }: { readonly force?: boolean } = {}) => engine.destroy(force),
  }
  return Object.freeze(Object.assign(handles, store)) as unknown as Store<C>
}

function byCollection(keys: ReadonlySet<string>): Map<string, Set<string>> {
  const collections = new Map<string, Set<string>>()
  for (const key of keys) {
    const slash = key.indexOf('/')
    const name = key.slice(0, slash)
    const ids = collections.get(name)
    if (ids === undefined) collections.set(name, new Set([key.slice(slash + 1)]))
    else ids.add(key.slice(slash + 1))
  }
  return collections
}

function collectionHandle(
  name: string,
  fields: Fields,
  engine: Engine,
  rows: Rows<Fields>,
): CollectionHandle {
  const run = (change: (draft: OperationDraft) => string): OperationHandle => {
    let id = ''
    const handle = engine.run((draft) => {
      id = change(draft)
    })
    return { ...handle, entity: { collection: name, id } }
  }
  /** A write to an entity that is known by its id. */
  const on = (
    id: string,
    change: (draft: OperationDraft, ref: { collection: string; id: string }) => void,
  ): OperationHandle =>
    run((draft) => {
      change(draft, { collection: name, id })
      return id
    })
  return Object.freeze({
    name,
    insert: (input) => run((draft) => draft.insert(name, input)),
    update: (id, change) => on(id, (draft, ref) => draft.update(ref, change)),
    delete: (id) => on(id, (draft, ref) => draft.remove(ref)),
    restore: (id) => on(id, (draft, ref) => draft.restore(ref)),
    get: (id) => rows.get(id),
    watch: (id) => rows.watch(id),
    open: (id) => openDocument(engine.openDocument({ collection: name, id }), name, fields),
    presence: (id, schema) => engine.presence(topicOf(name, id), schema),
    snapshots: (id) => snapshotsOf({ collection: name, id }, engine, rows, on),
    query: (options) => rows.query(options),
  } satisfies CollectionHandle)
}

/** The relay closes a connection that names no entity. @throws TidemarkError `value-invalid` */
function topicOf(collection: string, id: string): string {
  if (ENTITY_ID.test(id)) return `${collection}/${id}`
  throw new TidemarkError(
    'value-invalid',
    `${JSON.stringify(id)} is not the id of an entity. Pass the one that \`insert\` gave.`,
    { path: [collection, 'id'] },
  )
}

function snapshotsOf(
  ref: EntityRef,
  engine: Engine,
  rows: Rows<Fields>,
  on: (id: string, change: (draft: OperationDraft, ref: EntityRef) => void) => OperationHandle,
): Snapshots {
  const shelf = engine.snapshots(ref)
  const shown = ({ id, label, takenAt, view }: StoredSnapshot): Snapshot =>
    Object.freeze({ id, label, takenAt, row: rows.factory.preview(ref.id, view) })
  return {
    async take(label = '') {
      const entity = engine.replica.entity(ref)
      if (entity === undefined) throw missing(ref)
      return shown(await shelf.take(label, entity.view))
    },
    list: async () => Object.freeze((await shelf.list()).map(shown)),
    async restore(id) {
      const { view } = await shelf.use(id)
      return on(ref.id, (draft, own) => draft.overwrite(own, view))
    },
    remove: (id) => shelf.remove(id),
  }
}

function transactionOf(
  draft: OperationDraft,
  rowsOf: ReadonlyMap<string, Rows<Fields>>,
): Record<string, CollectionTransaction> {
  const transaction: Record<string, CollectionTransaction> = {}
  for (const [name, rows] of rowsOf) {
    transaction[name] = {
      insert: (input) => draft.insert(name, input),
      update: (id, change) => draft.update({ collection: name, id }, change),
      delete: (id) => draft.remove({ collection: name, id }),
      restore: (id) => draft.restore({ collection: name, id }),
      get(id): EntityRow | undefined {
        const view = draft.peek({ collection: name, id })
        return view === undefined ? undefined : rows.factory.preview(id, view)
      },
    }
  }
  return transaction
}

function operationsOf(
  engine: Engine,
  version: () => number,
  subscribe: (listener: () => void) => () => void,
): Operations {
  let known = -1
  let infos: readonly OperationInfo[] = []
  function list(): readonly OperationInfo[] {
    if (known !== version()) {
      known = version()
      infos = Object.freeze(
        engine.replica.operations().map((operation) => infoOf(operation, engine)),
      )
    }
    return infos
  }
  return Object.freeze({
    get current() {
      return list()
    },
    list: ({ state } = {}) =>
      state === undefined ? list() : list().filter((info) => info.state === state),
    subscribe: (listener) => subscribe(() => listener(list())),
    retry: (id) => engine.retry(id),
    discard: (id) => engine.discard(id),
    rollback: (id) => engine.rollBack(id),
    rollbackAll: (entity) => engine.rollBackAll(entity),
  } satisfies Operations)
}

function infoOf(operation: PendingOperation, engine: Engine): OperationInfo {
  const retry = engine.retryOf(operation.id)
  return Object.freeze({
    id: operation.id,
    state: stateOf(operation, engine),
    entities: operation.parts.map(({ collection, id }) => ({ collection, id })),
    createdAt: operation.createdAt,
    values: operation.parts.map(({ writes }) =>
      Object.fromEntries(
        writes.map((write) => [write.field, write.kind === 'set' ? write.value : undefined]),
      ),
    ),
    attempts: retry?.attempts ?? 0,
    lastError: operation.failure ?? retry?.error,
  })
}

function stateOf(operation: PendingOperation, engine: Engine): OperationState {
  if (operation.failure !== null) return 'failed'
  if (engine.inFlight.has(operation.id)) return 'processing'
  return engine.retryOf(operation.id) === undefined ? 'pending' : 'retrying'
}

function sameStatus(a: StoreStatus, b: StoreStatus): boolean {
  return (
    a.connection === b.connection &&
    a.pending === b.pending &&
    a.syncing === b.syncing &&
    a.failed === b.failed &&
    a.lastSyncedAt === b.lastSyncedAt &&
    a.error?.code === b.error?.code &&
    a.error?.message === b.error?.message
  )
}
