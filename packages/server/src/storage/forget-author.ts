import type { SqliteDatabase } from './sqlite-database.js'
import {
  asText,
  decodeOperation,
  encodeOperation,
  OPERATION_COLUMNS,
  OPERATION_VALUES,
  type Row,
  textColumn,
} from './sqlite-rows.js'

/** Rows that are read at once. */
const PAGE = 1_000

/**
 * Takes the name of a user out of the list of accepted operations. Their ids stay, and belong to nobody: sent again, such
 * an operation is refused instead of being accepted for the first time.
 *
 * @returns how many there were
 */
export function forgetAuthor(database: SqliteDatabase, user: string): number {
  const select = database
    .prepare(
      `SELECT ${textColumn('space')}, ${OPERATION_VALUES} FROM operations WHERE user = ? LIMIT ?`,
    )
    .raw()
  const replace = database.prepare(
    `REPLACE INTO operations (space, ${OPERATION_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  for (let forgotten = 0; ; ) {
    const rows = select.all(user, PAGE) as Row[]
    for (const row of rows) {
      const space = asText(row[0])
      const operation = decodeOperation(space, row.slice(1))
      replace.run(...encodeOperation(space, { ...operation, user: '', replica: '' }))
    }
    forgotten += rows.length
    if (rows.length < PAGE) return forgotten
  }
}

export function countOperationsOf(database: SqliteDatabase, user: string): number {
  const row: unknown = database
    .prepare('SELECT count(*) FROM operations WHERE user = ?')
    .raw()
    .get(user)
  return Array.isArray(row) ? Number(row[0]) : 0
}
