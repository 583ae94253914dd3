import { type StorableValue, sameValue } from '../entity/index.js'
import type { Fields } from '../schema/index.js'
import { notify } from './notify.js'
import type { EntityRow, LiveQuery, OrderBy, QueryOptions } from './types.js'

/** The rows of one collection, as a query needs them. */
export interface RowSource<Row> {
  all(): Iterable<Row>
  get(id: string): Row | undefined
  /** Calls `listener` at once with the ids whose rows may have changed. */
  subscribe(listener: (ids: ReadonlySet<string>) => void): () => void
}

/**
 * A query that is kept up to date by the rows that change: what changed is taken out, and merged back in order.
 * While nobody subscribes it follows nothing and is computed when it is read.
 */
export function createLiveQuery<F extends Fields>(
  source: RowSource<EntityRow<F>>,
  options: QueryOptions<F> = {},
): LiveQuery<EntityRow<F>> {
  type Row = EntityRow<F>
  const matches = matcher(options.where)
  const compare = comparator<F>(options.orderBy)
  const limit = options.limit ?? Number.POSITIVE_INFINITY
  const listeners = new Set<(rows: readonly Row[]) => void>()
  /** All matching rows in order; `current` is the first `limit` of them. */
  let sorted: readonly Row[] = []
  let current: readonly Row[] = Object.freeze([])
  /** What the listeners heard last. */
  let told = current
  let dirty = new Set<string>()
  let scheduled = false
  let unfollow: (() => void) | undefined

  function recompute(): void {
    const rows: Row[] = []
    for (const row of source.all()) if (matches(row)) rows.push(row)
    publish(rows.sort(compare))
  }

  function publish(rows: readonly Row[]): void {
    sorted = rows
    const next = rows.length > limit ? rows.slice(0, limit) : rows
    const same =
      next.length === current.length && next.every((row, index) => row === current[index])
    if (!same) current = Object.freeze([...next])
  }

  /** Brings the rows up to date with what has changed since. */
  function settle(): void {
    if (dirty.size === 0) return
    const ids = dirty
    const changed: Row[] = []
    for (const id of ids) {
      const row = source.get(id)
      if (row !== undefined && matches(row)) changed.push(row)
    }
    // Not before: an app's `where` may throw, and then they are still to be looked at.
    dirty = new Set()
    const rest = sorted.filter((row) => !ids.has(row.id))
    if (changed.length === 0 && rest.length === sorted.length) return
    publish(mergeSorted(rest, changed.sort(compare), compare))
  }

  /** Notes changes; listeners hear of them once, after the task that made them. */
  function follow(ids: ReadonlySet<string>): void {
    for (const id of ids) dirty.add(id)
    if (scheduled) return
    scheduled = true
    queueMicrotask(() => {
      scheduled = false
      settle()
      if (current === told) return
      told = current
      notify(listeners, current)
    })
  }

  return {
    get current() {
      if (unfollow === undefined) recompute()
      else settle()
      return current
    },
    subscribe(listener) {
      // Each call is a subscription of its own, even with a listener that is used twice.
      const own = (rows: readonly Row[]): void => listener(rows)
      if (listeners.size === 0) {
        dirty.clear()
        recompute()
        told = current
        unfollow = source.subscribe(follow)
      }
      listeners.add(own)
      return () => {
        if (listeners.delete(own) && listeners.size === 0) {
          unfollow?.()
          unfollow = undefined
        }
      }
    },
  }
}

function mergeSorted<T>(a: readonly T[], b: readonly T[], compare: (x: T, y: T) => number): T[] {
  const merged: T[] = []
  let next = 0
  for (const item of a) {
    let other = b[next]
    while (other !== undefined && compare(other, item) < 0) {
      merged.push(other)
      next += 1
      other = b[next]
    }
    merged.push(item)
  }
  for (; next < b.length; next++) merged.push(b[next] as T)
  return merged
}

function matcher<F extends Fields>(
  where: QueryOptions<F>['where'],
): (row: EntityRow<F>) => boolean {
  if (where === undefined) return () => true
  if (typeof where === 'function') return where
  const wanted = Object.entries(where)
  return (row) =>
    wanted.every(([field, value]) =>
      sameValue((row as Record<string, unknown>)[field] as StorableValue, value as StorableValue),
    )
}

function comparator<F extends Fields>(
  orderBy: QueryOptions<F>['orderBy'],
): (a: EntityRow<F>, b: EntityRow<F>) => number {
  const orders = normalise<F>(orderBy)
  return (a, b) => {
    for (const [field, direction] of orders) {
      const difference = compareValues(read(a, field), read(b, field))
      if (difference !== 0) return direction === 'desc' ? -difference : difference
    }
    return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
  }
}

function normalise<F extends Fields>(orderBy: QueryOptions<F>['orderBy']): readonly OrderBy<F>[] {
  if (orderBy === undefined) return []
  const [first] = orderBy
  return typeof first === 'string' ? [orderBy as OrderBy<F>] : (orderBy as readonly OrderBy<F>[])
}

function read<F extends Fields>(row: EntityRow<F>, field: string): unknown {
  return field === '$lastModified'
    ? row.$version.lastModified
    : (row as Readonly<Record<string, unknown>>)[field]
}

/**
 * Nothing before something, false before true, numbers by size, strings by the user's collation. Values of different
 * types go by their type, so that there is one order whatever a field holds.
 */
function compareValues(a: unknown, b: unknown): number {
  if (a === b) return 0
  const difference = typeRank(a) - typeRank(b)
  if (difference !== 0) return difference
  if (typeof a === 'number' || typeof a === 'boolean') return Number(a) - Number(b)
  return collator.compare(String(a), String(b))
}

const TYPES = ['boolean', 'number', 'string', 'object']

function typeRank(value: unknown): number {
  return value === undefined || value === null ? -1 : TYPES.indexOf(typeof value)
}

const collator: Intl.Collator = new Intl.Collator(undefined, {
  numeric: true,
  sensitivity: 'variant',
})
