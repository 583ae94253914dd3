import { isTidemarkError } from '@tidemark/core'
import { type StoredRow, verifiedLog } from './checksum.js'
import type { EntityHead, EntityRef } from './port.js'
import type { SqliteDatabase } from './sqlite-database.js'
import {
  asText,
  decodeHead,
  decodeOperation,
  headValuesOf,
  OPERATION_VALUES,
  type Row,
  sequencedRow,
  storedRow,
  textColumn,
} from './sqlite-rows.js'

export interface SpaceSummary {
  readonly space: string
  readonly head: number
  readonly horizon: number
}

/** An entity as it is stored, or why it can't be read. */
export type ScannedEntity = { readonly space: string; readonly ref: EntityRef } & (
  | {
      readonly head: EntityHead
      readonly log: readonly Uint8Array[]
      readonly problem?: undefined
    }
  | { readonly problem: string }
)

export interface ScannedOperation {
  readonly space: string
  readonly id: string
  readonly problem: string
}

/** Rows that are read at once: bounds memory, and lets writes happen between two pages. */
const PAGE = 256

/**
 * Walks through a whole database, page by page in the order of keys. Whoever wants to see one state of it begins a
 * transaction before.
 */
export interface DatabaseScan {
  spaces(): Generator<SpaceSummary>
  space(name: string): SpaceSummary | undefined
  entities(space: string): Generator<ScannedEntity>
  entity(space: string, ref: EntityRef): ScannedEntity | undefined
  /** Accepted operations whose rows are damaged. `each` is called for every one. */
  damagedOperations(each: () => void): Generator<ScannedOperation>
  /** Rows of bytes that belong to no entity. */
  strayBytes(): Generator<{ readonly space: string; readonly ref: EntityRef }>
  count(table: 'entities' | 'operations'): number
}

const ENTITY_VALUES = `${textColumn('collection')}, ${textColumn('id')}, ${headValuesOf('entities')}`

export function scanDatabase(database: SqliteDatabase): DatabaseScan {
  const query = (sql: string): ((...values: readonly unknown[]) => Row[]) => {
    const statement = database.prepare(sql).raw()
    return (...values) => statement.all(...values) as Row[]
  }
  const selectSpaces = query(
    `SELECT ${textColumn('space')}, sequence, horizon FROM spaces WHERE space > ? ORDER BY space LIMIT ?`,
  )
  const selectSpace = query('SELECT space, sequence, horizon FROM spaces WHERE space = ?')
  const selectEntities = query(
    `SELECT ${ENTITY_VALUES} FROM entities
     WHERE space = ? AND (collection, id) > (?, ?) ORDER BY collection, id LIMIT ?`,
  )
  const selectEntity = query(
    `SELECT ${ENTITY_VALUES} FROM entities
     WHERE space = ? AND collection = ? AND id = ?`,
  )
  const selectSnapshot = query(
    'SELECT bytes, checksum FROM snapshots WHERE space = ? AND collection = ? AND id = ?',
  )
  const selectUpdates = query(
    `SELECT sequence, bytes, checksum FROM updates
     WHERE space = ? AND collection = ? AND id = ? ORDER BY sequence`,
  )
  const selectOperations = query(
    `SELECT ${textColumn('space')}, ${OPERATION_VALUES} FROM operations
     WHERE (space, id) > (?, ?) ORDER BY space, id LIMIT ?`,
  )
  const selectStray = query(
    `SELECT ${['space', 'collection', 'id'].map(textColumn).join(', ')} FROM (
       SELECT space, collection, id FROM snapshots UNION SELECT space, collection, id FROM updates
     ) AS bytes
     WHERE NOT EXISTS (SELECT 1 FROM entities WHERE entities.space = bytes.space
       AND entities.collection = bytes.collection AND entities.id = bytes.id)`,
  )

  function entityOf(space: string, row: Row): ScannedEntity {
    const ref = { collection: asText(row[0]), id: asText(row[1]) }
    try {
      const head = decodeHead(space, ref, row.slice(2))
      const key = [space, ref.collection, ref.id]
      const found = selectSnapshot(...key)[0]
      const snapshot: StoredRow | undefined = found === undefined ? undefined : storedRow(found)
      const log = verifiedLog(space, ref, head, snapshot, selectUpdates(...key).map(sequencedRow))
      return { space, ref, head, log }
    } catch (error) {
      return { space, ref, problem: problemOf(error) }
    }
  }

  return {
    *spaces() {
      for (let last = ''; ; ) {
        const rows = selectSpaces(last, PAGE)
        for (const [space, head, horizon] of rows) {
          last = asText(space)
          yield { space: last, head: Number(head), horizon: Number(horizon) }
        }
        if (rows.length < PAGE) return
      }
    },
    space(name) {
      const [row] = selectSpace(name)
      return row && { space: name, head: Number(row[1]), horizon: Number(row[2]) }
    },
    *entities(space) {
      for (let last = ['', '']; ; ) {
        const rows = selectEntities(space, last[0], last[1], PAGE)
        for (const row of rows) {
          last = [asText(row[0]), asText(row[1])]
          yield entityOf(space, row)
        }
        if (rows.length < PAGE) return
      }
    },
    entity(space, ref) {
      const [row] = selectEntity(space, ref.collection, ref.id)
      return row === undefined ? undefined : entityOf(space, row)
    },
    *damagedOperations(each) {
      for (let last = ['', '']; ; ) {
        const rows = selectOperations(last[0], last[1], PAGE)
        for (const row of rows) {
          const [space, id] = [asText(row[0]), asText(row[1])]
          last = [space, id]
          each()
          try {
            decodeOperation(space, row.slice(1))
          } catch (error) {
            yield { space, id, problem: problemOf(error) }
          }
        }
        if (rows.length < PAGE) return
      }
    },
    *strayBytes() {
      for (const [space, collection, id] of selectStray()) {
        yield { space: asText(space), ref: { collection: asText(collection), id: asText(id) } }
      }
    },
    count(table) {
      return Number(query(`SELECT count(*) FROM ${table}`)()[0]?.[0] ?? 0)
    },
  }
}

/** @throws what concerns more than one row */
function problemOf(error: unknown): string {
  if (isTidemarkError(error) && error.code === 'corrupt') return error.message
  if (error instanceof Error && !('rawCode' in error)) return error.message
  throw error
}
