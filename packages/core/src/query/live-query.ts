import type { Fields } from '../schema/index.js'
import type { FieldIndexes } from './field-indexes.js'
import { notify } from './notify.js'
import { comparator } from './row-order.js'
import { createSortedRows, type RowChange, type SortedRows } from './sorted-rows.js'
import type { EntityRow, LiveQuery, QueryOptions } from './types.js'
import { conditionOf } from './where.js'

/** The rows of one collection, as a query needs them. */
export interface RowSource<Row> {
  all(): Iterable<Row>
  get(id: string): Row | undefined
  /** Up to date with the rows at any time, also before listeners hear of a change. */
  readonly indexes: Pick<FieldIndexes, 'candidates' | 'hold'>
  /** Calls `listener` at once with the ids whose rows may have changed. */
  subscribe(listener: (ids: ReadonlySet<string>) => void): () => void
}

/** What a query has while somebody subscribes. */
interface Following<Row> {
  /** All matching rows; `current` is the first `limit` of them. */
  readonly sorted: SortedRows<Row>
  end(): void
}

/**
 * A query that is kept up to date by the rows that change: each is taken out where it was, and put where it belongs.
 * While nobody subscribes it follows nothing and is computed when it is read.
 */
export function createLiveQuery<F extends Fields>(
  source: RowSource<EntityRow<F>>,
  options: QueryOptions<F> = {},
): LiveQuery<EntityRow<F>> {
  type Row = EntityRow<F>
  const { matches, equalities } = conditionOf(options.where)
  const compare = comparator<F>(options.orderBy)
  const limit = options.limit ?? Number.POSITIVE_INFINITY
  const listeners = new Set<(rows: readonly Row[]) => void>()
  let current: readonly Row[] = Object.freeze([])
  /** What the listeners heard last. */
  let told = current
  let dirty = new Set<string>()
  let scheduled = false
  let following: Following<Row> | undefined

  function* candidates(): Iterable<Row> {
    const ids = source.indexes.candidates(equalities)
    if (ids === undefined) yield* source.all()
    else {
      for (const id of ids) {
        const row = source.get(id)
        if (row !== undefined) yield row
      }
    }
  }

  /** All matching rows in order. */
  function recompute(): readonly Row[] {
    const rows: Row[] = []
    for (const row of candidates()) if (matches(row)) rows.push(row)
    rows.sort(compare)
    const length = Math.min(rows.length, limit)
    const same = length === current.length && current.every((row, index) => row === rows[index])
    if (!same) current = Object.freeze(rows.slice(0, limit))
    return rows
  }

  /** Brings the rows up to date with what has changed since. */
  function settle({ sorted }: Following<Row>): void {
    if (dirty.size === 0) return
    const ids = source.indexes.candidates(equalities)
    const changes: RowChange<Row>[] = []
    for (const id of dirty) {
      const before = sorted.get(id)
      // What can't match isn't even built: most changes are none of this query's business.
      const row = ids === undefined || ids.has(id) ? source.get(id) : undefined
      const after = row !== undefined && matches(row) ? row : undefined
      if (before !== after) changes.push({ before, after })
    }
    // Not before: an app's `where` may throw, and then they are still to be looked at.
    dirty = new Set()
    if (sorted.apply(changes) < limit) current = Object.freeze(sorted.rows.slice(0, limit))
  }

  /** Notes changes; listeners hear of them once, after the task that made them. */
  function follow(ids: ReadonlySet<string>): void {
    for (const id of ids) dirty.add(id)
    if (scheduled) return
    scheduled = true
    queueMicrotask(() => {
      scheduled = false
      if (following === undefined) return
      settle(following)
      if (current === told) return
      told = current
      notify(listeners, current)
    })
  }

  function start(): Following<Row> {
    const release = source.indexes.hold(equalities)
    const rows = recompute()
    const unfollow = source.subscribe(follow)
    return {
      sorted: createSortedRows(rows, compare),
      end() {
        unfollow()
        release()
        dirty.clear()
      },
    }
  }

  return {
    get current() {
      if (following === undefined) recompute()
      else settle(following)
      return current
    },
    subscribe(listener) {
      // Each call is a subscription of its own, even with a listener that is used twice.
      const own = (rows: readonly Row[]): void => listener(rows)
      if (following === undefined) {
        following = start()
        told = current
      }
      listeners.add(own)
      return () => {
        if (listeners.delete(own) && listeners.size === 0) {
          following?.end()
          following = undefined
        }
      }
    },
  }
}
