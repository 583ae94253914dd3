import { randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isTidemarkError, TidemarkError } from '@tidemark/core'
import { RelayStartError } from '../errors.js'
import { lockDataDirectory } from './data-lock.js'
import type { RelayStorage } from './port.js'
import { createSerialQueue } from './serial-queue.js'
import { messageOf, openDatabase, type SqliteDatabase } from './sqlite-database.js'
import { createSqliteStatements } from './sqlite-statements.js'

export interface SqliteStorageOptions {
  /** A directory of the relay's own; made when it isn't there. */
  readonly directory: string
  /** Opens the database file; tests hand in one that fails. */
  readonly open?: (path: string, newEpoch: () => string) => SqliteDatabase
}

/**
 * Keeps everything in one SQLite database (`tidemark.db`), write-ahead log, `synchronous=FULL`: a transaction's promise
 * resolves after the fsync of its commit.
 *
 * @throws RelayStartError when the directory can't be written, is in use, or doesn't promise durability
 */
export function openSqliteStorage(options: SqliteStorageOptions): RelayStorage {
  const { directory, open = openDatabase } = options
  makeDirectory(directory)
  const unlock = lockDataDirectory(directory)
  try {
    const database = open(join(directory, 'tidemark.db'), randomUUID)
    syncDirectory(directory)
    return createSqliteStorage(database, unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

function createSqliteStorage(database: SqliteDatabase, unlock: () => void): RelayStorage {
  const statements = createSqliteStatements(database)
  const queue = createSerialQueue()

  async function inTransaction<T>(work: () => Promise<T>): Promise<T> {
    database.exec('BEGIN IMMEDIATE')
    try {
      const result = await work()
      // A failed commit is never tried again: what the kernel dropped, a second fsync doesn't bring back.
      database.exec('COMMIT')
      return result
    } catch (error) {
      // Some errors have rolled back already.
      if (database.inTransaction) database.exec('ROLLBACK')
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

  return {
    epoch: () => enqueue(async () => statements.epoch()),
    epochStartedAt: () => enqueue(async () => statements.epochStartedAt()),
    transaction: (work) => enqueue(() => inTransaction(() => work(statements.transaction))),
    head: (space) => enqueue(async () => statements.head(space)),
    horizon: (space) => enqueue(async () => statements.horizon(space)),
    spacesWithTombstones: (before) => enqueue(async () => statements.spacesWithTombstones(before)),
    operations: (space, ids) => enqueue(async () => statements.operations(space, ids)),
    entitiesSince: (space, since, limits) =>
      enqueue(async () => statements.entitiesSince(space, since, limits)),
    totals: () => enqueue(async () => statements.totals()),
    close: () =>
      enqueue(async () => {
        database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
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

/** A new file is durable only once its directory is. Windows can't do that and needn't. */
function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
