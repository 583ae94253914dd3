import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isTidemarkError, TidemarkError } from '@tidemark/core'
import { RelayStartError } from '../errors.js'
import { type Log, silentLog } from '../log.js'
import { DATABASE_FILE, requireFinishedRestore, syncDirectory } from './data-directory.js'
import { lockDataDirectory } from './data-lock.js'
import { settlePlace } from './place.js'
import type { RelayStorage, RelayTransaction } from './port.js'
import { createSerialQueue } from './serial-queue.js'
import {
  createSqliteConnections,
  type SqliteConnection,
  type SqliteConnections,
} from './sqlite-connections.js'
import { messageOf, openDatabase, type SqliteDatabase } from './sqlite-database.js'
import type { SqliteStatements } from './sqlite-statements.js'

export interface SqliteStorageOptions {
  /** A directory of the relay's own; made when it isn't there. */
  readonly directory: string
  readonly log?: Log
}

type OpenDatabase = (path: string, newEpoch: () => string) => SqliteDatabase

/**
 * Keeps everything in one SQLite database (`tidemark.db`), write-ahead log, `synchronous=FULL`: a transaction's promise
 * resolves after the fsync of its commit.
 *
 * @throws RelayStartError when the directory can't be written, is in use, lacks something, or doesn't promise durability
 */
export function openSqliteStorage({ directory, log }: SqliteStorageOptions): RelayStorage {
  return openStorageWith(directory, openDatabase, log)
}

/** For tests, which hand in databases that fail. */
export function openStorageWith(
  directory: string,
  open: OpenDatabase,
  log: Log = silentLog,
): RelayStorage {
  makeDirectory(directory)
  const unlock = lockDataDirectory(directory)
  try {
    requireFinishedRestore(directory)
    const path = join(directory, DATABASE_FILE)
    return createSqliteStorage(createSqliteConnections(path, settled(open, log)), unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

function createSqliteStorage(connections: SqliteConnections, unlock: () => void): RelayStorage {
  const queue = createSerialQueue()

  async function transaction<T>(work: (tx: RelayTransaction) => Promise<T>): Promise<T> {
    const connection = connections.forWriting()
    try {
      return await inTransaction(connection, () => work(connection.statements.transaction))
    } catch (error) {
      if (!isTidemarkError(error)) connections.distrust()
      throw error
    }
  }

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

  const read = <T>(from: (statements: SqliteStatements) => T): Promise<T> =>
    enqueue(async () => from(connections.forReading()))

  return {
    epoch: () => read((statements) => statements.epoch()),
    epochStartedAt: () => read((statements) => statements.epochStartedAt()),
    transaction: (work) => enqueue(() => transaction(work)),
    head: (space) => read((statements) => statements.head(space)),
    horizon: (space) => read((statements) => statements.horizon(space)),
    spacesWithTombstones: (before) => read((statements) => statements.spacesWithTombstones(before)),
    operations: (space, ids) => read((statements) => statements.operations(space, ids)),
    entitiesSince: (space, since, limits) =>
      read((statements) => statements.entitiesSince(space, since, limits)),
    totals: () => read((statements) => statements.totals()),
    close: () => enqueue(async () => connections.close()).finally(unlock),
  }
}

/** Atomic, and durable once its promise resolves. */
export async function inTransaction<T>(
  { database, statements }: SqliteConnection,
  work: () => Promise<T>,
): Promise<T> {
  try {
    database.exec('BEGIN IMMEDIATE')
    statements.begin()
    const result = await work()
    statements.settle()
    // A failed commit is never tried again: what the kernel dropped, a second fsync doesn't bring back.
    database.exec('COMMIT')
    return result
  } catch (error) {
    // Some errors have rolled back already.
    if (database.inTransaction) rollBack(database)
    throw error
  }
}

/** Opens the database, and notes where it is. */
export function settled(open: OpenDatabase, log: Log): OpenDatabase {
  return (path, newEpoch) => {
    const database = open(path, newEpoch)
    try {
      if (settlePlace(database, path, randomUUID))
        log.warn({ path }, 'the data was copied or moved here: it has a new epoch')
      return database
    } catch (error) {
      database.close()
      throw error
    }
  }
}

/** Where that fails too, the connection is still in its transaction, and no longer of use. */
function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK')
  } catch {}
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
