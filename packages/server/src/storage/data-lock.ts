import { join } from 'node:path'
import Database from 'libsql'
import { RelayStartError } from '../errors.js'
import { codeOf } from './sqlite-database.js'

/**
 * Holds a data directory for one relay. Two relays on one database would each acknowledge in an order of its own.
 *
 * The lock is SQLite's exclusive lock on a file beside the database: the operating system gives it back when the
 * process dies, however it dies, and whoever only reads the database isn't kept out.
 *
 * @returns a function that gives the directory free
 * @throws RelayStartError `data-locked`
 */
export function lockDataDirectory(directory: string): () => void {
  const path = join(directory, 'relay.lock')
  return lockFile(
    path,
    (cause) =>
      new RelayStartError(
        'data-locked',
        `Another relay runs on ${directory}. Stop it first, or give this one a data directory of its own.`,
        { cause },
      ),
  )
}

/** @throws what `taken` makes, when somebody has the lock; RelayStartError `data-unwritable` */
export function lockFile(path: string, taken: (cause: unknown) => Error): () => void {
  try {
    const database = new Database(path)
    // Not even a journal is written: nothing but the lock is wanted.
    database.exec('PRAGMA journal_mode = MEMORY')
    database.exec('BEGIN EXCLUSIVE')
    return () => {
      database.exec('ROLLBACK')
      database.close()
    }
  } catch (error) {
    if (codeOf(error) === 'SQLITE_BUSY') throw taken(error)
    throw new RelayStartError(
      'data-unwritable',
      `${path} can't be locked. Check that this user may write to that directory.`,
      { cause: error },
    )
  }
}
