import { createFieldIndex, type FieldIndex, type Scalar } from './field-index.js'

/** That a field of a row equals a scalar. */
export type Equality = readonly [field: string, value: Scalar]

/** What indexes are made of. */
export interface IndexedRows {
  ids(): Iterable<string>
  /** What the row shows in a field; `ABSENT` where there is no row. */
  value(id: string, field: string): unknown
}

/** The indexes of one collection: made when a query asks for them, kept while one holds them. */
export interface FieldIndexes {
  /**
   * The ids of all rows that may satisfy the equalities, by the one of them that leaves the fewest; `undefined` without
   * any. It changes with the rows.
   */
  candidates(equalities: readonly Equality[]): ReadonlySet<string> | undefined
  /** Keeps the indexes of these equalities until the returned function is called. */
  hold(equalities: readonly Equality[]): () => void
  /** These rows may have other values now. */
  update(ids: Iterable<string>): void
}

/** Enough for the queries that an app reads now and then without following them. */
const MAX_UNUSED = 4

export function createFieldIndexes(rows: IndexedRows): FieldIndexes {
  /** By field, the one that was asked last at the end. */
  const indexes = new Map<string, FieldIndex>()
  const holders = new Map<string, number>()

  function indexOf(field: string): FieldIndex {
    const index = indexes.get(field) ?? build(field)
    indexes.delete(field)
    indexes.set(field, index)
    return index
  }

  function build(field: string): FieldIndex {
    const index = createFieldIndex()
    for (const id of rows.ids()) index.set(id, rows.value(id, field))
    return index
  }

  /** Each write pays for each index: those that nobody uses are few, and the ones that were used last. */
  function trim(): void {
    const unused = [...indexes.keys()].filter((field) => !holders.has(field))
    for (const field of unused.slice(0, -MAX_UNUSED)) indexes.delete(field)
  }

  return {
    candidates(equalities) {
      let fewest: ReadonlySet<string> | undefined
      const known = indexes.size
      for (const [field, value] of equalities) {
        const ids = indexOf(field).ids(value)
        if (fewest === undefined || ids.size < fewest.size) fewest = ids
      }
      if (indexes.size > known) trim()
      return fewest
    },
    hold(equalities) {
      for (const [field] of equalities) holders.set(field, (holders.get(field) ?? 0) + 1)
      let held = true
      return () => {
        if (!held) return
        held = false
        for (const [field] of equalities) {
          const left = (holders.get(field) ?? 0) - 1
          if (left > 0) holders.set(field, left)
          else holders.delete(field)
        }
        trim()
      }
    },
    update(ids) {
      if (indexes.size === 0) return
      for (const id of ids) {
        for (const [field, index] of indexes) index.set(id, rows.value(id, field))
      }
    },
  }
}
