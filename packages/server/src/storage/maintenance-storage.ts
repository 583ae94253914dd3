import { join } from 'node:path'
import { silentLog } from '../log.js'
import { DATABASE_FILE, requireDatabase, requireFinishedRestore } from './data-directory.js'
import { lockDataDirectory } from './data-lock.js'
import { createSqliteConnections } from './sqlite-connections.js'
import { openDatabase, type SqliteDatabase } from './sqlite-database.js'
import type { SqliteStatements } from './sqlite-statements.js'
import { inTransaction, settled } from './sqlite-storage.js'

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
    const connections = createSqliteConnections(path, settled(openDatabase, silentLog))
    const { database, statements } = connections.forWriting()
    return {
      directory,
      path,
      database,
      statements,
      transaction: (work) => inTransaction({ database, statements }, work),
      close() {
        connections.close()
        unlock()
      },
    }
  } catch (error) {
    unlock()
    throw error
  }
}
