import type { Compare } from './row-order.js'

/** What became of one row: `undefined` before it came and after it went. */
export interface RowChange<Row> {
  readonly before: Row | undefined
  readonly after: Row | undefined
}

/** The rows of a query in order, each by its id. */
export interface SortedRows<Row> {
  /** In order; changes with them. */
  readonly rows: readonly Row[]
  get(id: string): Row | undefined
  /** Applies changes of different ids. Returns the index of the first place that shows something else. */
  apply(changes: readonly RowChange<Row>[]): number
}

export function createSortedRows<Row extends { readonly id: string }>(
  /** In order. */
  initial: readonly Row[],
  compare: Compare<Row>,
): SortedRows<Row> {
  let rows = [...initial]
  /** A row's place is found by the row itself: by the time its entity has changed, only this knows what was placed. */
  const byId = new Map(rows.map((row) => [row.id, row]))

  function placeOf(row: Row): number {
    let low = 0
    let high = rows.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compare(rows[middle] as Row, row) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Puts one row where it belongs. Returns the first place that shows something else. */
  function place({ before, after }: RowChange<Row>): number {
    if (before === undefined) return after === undefined ? rows.length : insert(after)
    const index = placeOf(before)
    if (after === undefined) {
      rows.splice(index, 1)
      return index
    }
    if (compare(before, after) === 0) {
      rows[index] = after
      return index
    }
    rows.splice(index, 1)
    return Math.min(index, insert(after))
  }

  function insert(row: Row): number {
    const index = placeOf(row)
    rows.splice(index, 0, row)
    return index
  }

  function rebuild(changes: readonly RowChange<Row>[]): void {
    const gone = new Set(changes.map(({ before }) => before))
    const came = changes.flatMap(({ after }) => (after === undefined ? [] : [after]))
    const rest = rows.filter((row) => !gone.has(row))
    // Two sorted runs, which sorting merges.
    rows = [...rest, ...came.sort(compare)].sort(compare)
  }

  return {
    get rows() {
      return rows
    },
    get: (id) => byId.get(id),
    apply(changes) {
      for (const { before, after } of changes) {
        if (after !== undefined) byId.set(after.id, after)
        else if (before !== undefined) byId.delete(before.id)
      }
      if (changes.length * Math.log2(rows.length + 2) > rows.length) {
        const old = rows
        rebuild(changes)
        const first = rows.findIndex((row, index) => row !== old[index])
        return first < 0 ? rows.length : first
      }
      let first = Number.POSITIVE_INFINITY
      for (const change of changes) first = Math.min(first, place(change))
      return first
    },
  }
}
