import type { EntityView } from '../entity/index.js'
import {
  ABSENT,
  assertQuery,
  createFieldIndexes,
  createLiveQuery,
  createRowFactory,
  type EntityRow,
  type EntityStatus,
  type LiveQuery,
  type QueryOptions,
  type Readable,
  type RowFactory,
} from '../query/index.js'
import type { EntityState, Replica } from '../replica/index.js'
import type { Fields } from '../schema/index.js'
import { createObservers, derive, type Observers } from './observers.js'

/** The rows of one collection: built when asked for, the same object until their entity changes. */
export interface Rows<F extends Fields> {
  readonly factory: RowFactory<F>
  get(id: string): EntityRow<F> | undefined
  watch(id: string): Readable<EntityRow<F> | undefined>
  /** @throws TidemarkError `value-invalid` */
  query(options?: QueryOptions<F>): LiveQuery<EntityRow<F>>
  /** These entities, or (without ids) all of them, may show something else now. */
  invalidate(ids?: ReadonlySet<string>): void
}

export function createRows<F extends Fields>(
  name: string,
  fields: F,
  replica: Replica,
  statusOf: (entity: EntityState) => EntityStatus,
  migrate?: (id: string, view: EntityView) => EntityView,
): Rows<F> {
  const factory = createRowFactory(fields, migrate)
  const cache = new Map<string, EntityRow<F>>()
  const watchers = new Map<string, { readonly observers: Observers; count: number }>()
  const followers = new Set<(ids: ReadonlySet<string>) => void>()
  const indexes = createFieldIndexes({
    ids: () => replica.collection(name).keys(),
    value(id, field) {
      const entity = replica.collection(name).get(id)
      return entity === undefined ? ABSENT : factory.value(entity, field)
    },
  })

  function get(id: string): EntityRow<F> | undefined {
    const cached = cache.get(id)
    if (cached !== undefined) return cached
    const entity = replica.collection(name).get(id)
    if (entity === undefined) return undefined
    const row = factory.row(entity, statusOf(entity))
    if (row !== undefined) cache.set(id, row)
    return row
  }

  function* all(): Iterable<EntityRow<F>> {
    for (const id of replica.collection(name).keys()) {
      const row = get(id)
      if (row !== undefined) yield row
    }
  }

  /** The observers of an id live as long as somebody listens. */
  function watchEntity(id: string, listener: () => void): () => void {
    const watcher = watchers.get(id) ?? { observers: createObservers(), count: 0 }
    watchers.set(id, watcher)
    watcher.count += 1
    const unsubscribe = watcher.observers.subscribe(listener)
    let active = true
    return () => {
      if (!active) return
      active = false
      unsubscribe()
      watcher.count -= 1
      if (watcher.count === 0) watchers.delete(id)
    }
  }

  return {
    factory,
    get,
    watch: (id) =>
      derive(
        () => get(id),
        (a, b) => a === b,
        { subscribe: (listener) => watchEntity(id, listener) },
      ),
    query(options = {}) {
      assertQuery(name, fields, options)
      return createLiveQuery(
        {
          all,
          get,
          indexes,
          subscribe(listener) {
            followers.add(listener)
            return () => followers.delete(listener)
          },
        },
        options,
      )
    },
    invalidate(ids = new Set(replica.collection(name).keys())) {
      for (const id of ids) {
        cache.delete(id)
        watchers.get(id)?.observers.touch()
      }
      indexes.update(ids)
      for (const follower of [...followers]) follower(ids)
    },
  }
}
