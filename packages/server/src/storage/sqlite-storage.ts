import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isTidemarkError, TidemarkError } from '@tidemark/core'
import { RelayStartError } from '../errors.js'
import { type Log, silentLog } from '../log.js'
import { DATABASE_FILE, requireFinishedRestore, syncDirectory } from './data-directory.js'
import { lockDataDirectory } from './data-lock.js'
import { settlePlace } from './place.js'
import type { RelayStorage } from './port.js'
import { createSerialQueue } from './serial-queue.js'
import {
  emptyLog,
  inTransaction,
  messageOf,
  openDatabase,
  type SqliteDatabase,
} from './sqlite-database.js'
import { createSqliteStatements } from './sqlite-statements.js'

export interface SqliteStorageOptions {
  /** A directory of the relay's own; made when it isn't there. */
  readonly directory: string
  /** Opens the database file; tests hand in one that fails. */
  readonly open?: (path: string, newEpoch: () => string) => SqliteDatabase
  readonly log?: Log
}

/**
 * Keeps everything in one SQLite database (`tidemark.db`), write-ahead log, `synchronous=FULL`: a transaction's promise
 * resolves after the fsync of its commit.
 *
 * @throws RelayStartError when the directory can't be written, is in use, or doesn't promise durability
 */
export function openSqliteStorage(options: SqliteStorageOptions): RelayStorage {
  const { directory, open = openDatabase, log = silentLog } = options
  makeDirectory(directory)
  const unlock = lockDataDirectory(directory)
  try {
    requireFinishedRestore(directory)
    const path = join(directory, DATABASE_FILE)
    const database = open(path, randomUUID)
    syncDirectory(directory)
    if (settlePlace(database, path, randomUUID))
      log.warn({ directory }, 'the data was copied or moved here: it has a new epoch')
    return createSqliteStorage(database, unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

function createSqliteStorage(database: SqliteDatabase, unlock: () => void): RelayStorage {
  const statements = createSqliteStatements(database)
  const queue = createSerialQueue()

  function enqueue<T>(work: () => Promise<T>): Promise<T> {
    return queue.run(async () => {
      // SQLite works on this thread. Between two pieces of work the event loop gets its turn, so that what waits in
      // sockets meanwhile can join the next one.
      await eventLoopTurn()
      try {
        return await work()
      } catch (error) {
        throw asStorageError(error)
      }
    })
  }

  return {
    epoch: () => enqueue(async () => statements.epoch()),
    epochStartedAt: () => enqueue(async () => statements.epochStartedAt()),
    transaction: (work) =>
      enqueue(() => inTransaction(database, () => work(statements.transaction))),
    head: (space) => enqueue(async () => statements.head(space)),
    horizon: (space) => enqueue(async () => statements.horizon(space)),
    spacesWithTombstones: (before) => enqueue(async () => statements.spacesWithTombstones(before)),
    operations: (space, ids) => enqueue(async () => statements.operations(space, ids)),
    entitiesSince: (space, since, limits) =>
      enqueue(async () => statements.entitiesSince(space, since, limits)),
    close: () =>
      enqueue(async () => {
        // A backup that is still reading must not hold up the stop; whoever starts next settles the log.
        database.exec('PRAGMA busy_timeout = 0')
        emptyLog(database)
        database.close()
      }).finally(unlock),
  }
}

function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function asStorageError(error: unknown): unknown {
  if (isTidemarkError(error)) return error
  return new TidemarkError(
    'storage-failed',
    `The database failed (${messageOf(error)}). Nothing was acknowledged. Look at the disk and at its free space.`,
    { cause: error },
  )
}

function makeDirectory(directory: string): void {
  try {
    const made = mkdirSync(directory, { recursive: true })
    if (made !== undefined) syncDirectory(dirname(made))
  } catch (error) {
    throw new RelayStartError(
      'data-unwritable',
      `The data directory ${directory} can't be made (${messageOf(error)}). Make it, or name one where this user may write.`,
      { cause: error },
    )
  }
}
