import { randomUUID } from 'node:crypto'
import { dirname } from 'node:path'
import { RelayStartError } from '../errors.js'
import { syncDirectory } from './data-directory.js'
import { checkDataState } from './data-state.js'
import { emptyLog, explain, type SqliteDatabase } from './sqlite-database.js'
import { createSqliteStatements, type SqliteStatements } from './sqlite-statements.js'

export interface SqliteConnection {
  readonly database: SqliteDatabase
  readonly statements: SqliteStatements
}

/**
 * The relay's one connection to its database, and the next one after something failed.
 *
 *     trusted ──a transaction fails──► distrusted ──forWriting()──► log written anew, opened again ──► trusted
 *                                       reads go on                  └── fails: distrusted still
 *
 * What a connection that failed believes to be on the disk may not be there, and only it knows which of the log was
 * committed: so it goes on reading, and never writes again.
 */
export interface SqliteConnections {
  forReading(): SqliteStatements
  /** @throws RelayStartError when a connection that failed can't be replaced yet */
  forWriting(): SqliteConnection
  distrust(): void
  close(): void
}

/**
 * SQLite puts its log into the database after a thousand pages, and keeps to itself when it can't: the log would grow for
 * ever. So now and then the relay asks for it, and hears of it.
 */
const TRANSACTIONS_PER_CHECKPOINT = 256

/**
 * @param open see `openDatabase`
 * @throws RelayStartError
 */
export function createSqliteConnections(
  path: string,
  open: (path: string, newEpoch: () => string) => SqliteDatabase,
): SqliteConnections {
  const state = checkDataState(path)
  let current = connect(randomUUID)
  let isTrusted = true
  let isStuck = false
  let transactions = 0

  function connect(newEpoch: () => string): SqliteConnection {
    let database: SqliteDatabase | undefined
    try {
      state.opening()
      database = open(path, newEpoch)
      syncDirectory(dirname(path))
      const statements = createSqliteStatements(database)
      // The first commit gives the log the salt that is noted.
      statements.probe()
      state.open()
      return { database, statements }
    } catch (error) {
      database?.close()
      throw explain(error, path)
    }
  }

  function replace(): void {
    // One that can't even roll back would keep the next one from writing.
    if (isStuck) current.database.close()
    const next = connect(() => {
      throw new RelayStartError('data-incomplete', `${path} was taken away from under the relay.`)
    })
    if (!isStuck) current.database.close()
    current = next
    isTrusted = true
    isStuck = false
  }

  function checkpoint(): void {
    try {
      current.database.exec('PRAGMA wal_checkpoint(PASSIVE)')
    } catch (error) {
      isTrusted = false
      throw error
    }
  }

  return {
    forReading() {
      if (isStuck) throw new Error('a transaction could be neither committed nor rolled back')
      return current.statements
    },
    forWriting() {
      if (!isTrusted) replace()
      transactions += 1
      if (transactions % TRANSACTIONS_PER_CHECKPOINT === 0) checkpoint()
      return current
    },
    distrust() {
      isTrusted = false
      isStuck ||= current.database.inTransaction
    },
    close() {
      try {
        // A backup that is still reading must not hold up the stop.
        current.database.exec('PRAGMA busy_timeout = 0')
        // Where that fails, everything is in the log.
        if (isTrusted) emptyLog(current.database)
      } catch {
      } finally {
        try {
          state.closed()
        } finally {
          current.database.close()
        }
      }
    },
  }
}
