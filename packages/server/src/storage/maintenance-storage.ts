import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DATABASE_FILE, requireDatabase, requireFinishedRestore } from './data-directory.js'
import { lockDataDirectory } from './data-lock.js'
import { settlePlace } from './place.js'
import { emptyLog, inTransaction, openDatabase, type SqliteDatabase } from './sqlite-database.js'
import { createSqliteStatements, type SqliteStatements } from './sqlite-statements.js'

/** A database without its relay: for what may change everything at once. */
export interface MaintenanceStorage {
  readonly directory: string
  readonly path: string
  readonly database: SqliteDatabase
  readonly statements: SqliteStatements
  /** Atomic and durable, like a relay's. */
  transaction<T>(work: () => Promise<T>): Promise<T>
  close(): void
}

/**
 * Opens the database of a data directory whose relay doesn't run. Makes none.
 *
 * @throws RelayStartError `data-missing`, `data-locked`, `restore-unfinished`, or why the database can't be opened
 */
export function openForMaintenance(directory: string): MaintenanceStorage {
  requireDatabase(directory)
  const unlock = lockDataDirectory(directory)
  try {
    requireFinishedRestore(directory)
    const path = join(directory, DATABASE_FILE)
    const database = openDatabase(path, randomUUID)
    settlePlace(database, path, randomUUID)
    return {
      directory,
      path,
      database,
      statements: createSqliteStatements(database),
      transaction: (work) => inTransaction(database, work),
      close() {
        // Whoever reads meanwhile must not hold this up; the next one to open it empties the log.
        database.exec('PRAGMA busy_timeout = 0')
        emptyLog(database)
        database.close()
        unlock()
      },
    }
  } catch (error) {
    unlock()
    throw error
  }
}
