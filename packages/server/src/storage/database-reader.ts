import { pathToFileURL } from 'node:url'
import Database from 'libsql'
import { requireDatabase } from './data-directory.js'
import { explain, readPragma, requireOwnFile, type SqliteDatabase } from './sqlite-database.js'

/**
 * Opens a database beside a relay that may be running, for reading only. What is read in one transaction, or by one
 * `VACUUM INTO`, is the state after one commit, and holds everything that was acknowledged before.
 *
 * The connection really can't write (`mode=ro`; libsql ignores `readonly`): it never checkpoints the write-ahead log
 * either. So the relay stays the only one that does, which its SQLite (3.45) needs
 * (https://www.sqlite.org/wal.html#walresetbug).
 *
 * @throws RelayStartError
 */
export function openDatabaseReader(directory: string): SqliteDatabase {
  return openReadOnly(requireDatabase(directory))
}

export function openReadOnly(path: string): SqliteDatabase {
  try {
    const database = new Database(`${pathToFileURL(path).href}?mode=ro`)
    try {
      requireOwnFile(database, path)
      return database
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    throw explain(error, path)
  }
}

/** Closes a reader in whatever transaction it is: an open one would go on keeping the log. */
export function closeReader(database: SqliteDatabase): void {
  if (database.inTransaction) database.exec('ROLLBACK')
  database.close()
}

/** Bytes of the database, with what is in its log only. */
export function sizeOf(database: SqliteDatabase): number {
  return Number(readPragma(database, 'page_count')) * Number(readPragma(database, 'page_size'))
}
