import Database from 'libsql'
import { RelayStartError } from '../errors.js'
import { logPathOf, rewriteLog } from './sqlite-log.js'
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION } from './sqlite-schema.js'

export type SqliteDatabase = Database.Database

/** `PRAGMA synchronous` as it reads back: every commit is an fsync of the write-ahead log. */
const SYNCHRONOUS_FULL = 2
/** For what holds locks for moments only. Readers beside the relay (`backup`, `inspect`) don't keep it from writing. */
const BUSY_TIMEOUT_MS = 5_000
/**
 * Pages of the write-ahead log before it is copied into the database, 16 MiB instead of the usual 4: a page that is written by
 * one commit after the other is copied once for all of them.
 */
const CHECKPOINT_PAGES = 4_096

/** The log has so many pages of 4 KiB and a batch; it is larger only while somebody reads beside the relay. */
const LOG_BYTES_KEPT = 20 * 1024 * 1024

/**
 * Opens the database so that a commit is durable when it returns, or not at all (reliability F1), and makes the tables
 * in a new one.
 *
 * @throws RelayStartError
 */
export function openDatabase(path: string, newEpoch: () => string): SqliteDatabase {
  settleLog(path)
  const database = connect(path)
  try {
    const isNew = readPragma(database, 'schema_version') === 0
    if (!isNew) requireOwnFile(database, path)
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = FULL')
    database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
    database.exec(`PRAGMA journal_size_limit = ${LOG_BYTES_KEPT}`)
    requireDurable(database)
    if (isNew) createTables(database, newEpoch())
    // A reader beside the relay may keep it from getting to the end; that does no harm.
    database.exec('PRAGMA wal_checkpoint(PASSIVE)')
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
    return database
  } catch (error) {
    database.close()
    throw explain(error, path)
  }
}

/** @throws RelayStartError `not-durable` unless both settings read back as they must be. */
export function requireDurable(database: SqliteDatabase): void {
  const journal = readPragma(database, 'journal_mode')
  const synchronous = readPragma(database, 'synchronous')
  if (journal === 'wal' && synchronous === SYNCHRONOUS_FULL) return
  throw new RelayStartError(
    'not-durable',
    `The database runs with journal_mode=${String(journal)} and synchronous=${String(synchronous)}, where wal and ` +
      `${SYNCHRONOUS_FULL} (FULL) are needed: acknowledged work would be lost in a power failure. Put the data ` +
      "directory on a local file system that supports SQLite's write-ahead log.",
  )
}

/**
 * Puts on stable storage what a relay that was killed had written: between the write and the fsync of a commit it stands
 * in the log, is read back as committed, and would still be lost with the power [L18].
 */
function settleLog(path: string): void {
  try {
    rewriteLog(logPathOf(path))
  } catch (error) {
    throw explain(error, path)
  }
}

/**
 * Brings the write-ahead log into the database file, syncs both and empties the log.
 *
 * @returns whether it could: a reader may still need the log
 */
export function emptyLog(database: SqliteDatabase): boolean {
  const row: unknown = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').raw().get()
  return Array.isArray(row) && row[0] === 0
}

export function readPragma(database: SqliteDatabase, name: string): unknown {
  const row: unknown = database.prepare(`PRAGMA ${name}`).raw().get()
  return Array.isArray(row) ? row[0] : undefined
}

function connect(path: string): SqliteDatabase {
  try {
    return new Database(path)
  } catch (error) {
    throw explain(error, path)
  }
}

/** @throws RelayStartError unless the file is a relay's, of a version that this one knows [WIRE-3] */
export function requireOwnFile(database: SqliteDatabase, path: string): void {
  if (readPragma(database, 'application_id') !== APPLICATION_ID) {
    throw new RelayStartError(
      'data-foreign',
      `${path} is a database of another program. Give the relay a data directory of its own.`,
    )
  }
  const version = readPragma(database, 'user_version')
  if (typeof version === 'number' && version < SCHEMA_VERSION) {
    throw new RelayStartError(
      'data-older',
      `${path} has schema version ${version}, which was never released; this relay knows ${SCHEMA_VERSION}. Give it a data directory of its own.`,
    )
  }
  if (version !== SCHEMA_VERSION) {
    throw new RelayStartError(
      'data-newer',
      `${path} has schema version ${String(version)}; this relay knows ${SCHEMA_VERSION}. Start the newer relay that wrote it.`,
    )
  }
}

function createTables(database: SqliteDatabase, epoch: string): void {
  database.exec('BEGIN IMMEDIATE')
  database.exec(SCHEMA)
  const note = database.prepare('INSERT INTO meta (key, value) VALUES (?, ?)')
  note.run('epoch', epoch)
  note.run('epoch_started_at', String(Date.now()))
  // Inside the transaction as well: a file is ours from its first commit on, or empty.
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`)
  database.exec('COMMIT')
}

export function explain(error: unknown, path: string): RelayStartError {
  if (error instanceof RelayStartError) return error
  const code = codeOf(error)
  if (code?.startsWith('SQLITE_CORRUPT') === true) {
    return new RelayStartError(
      'data-damaged',
      `${path} can't be read (${messageOf(error)}). Restore a backup; keep the damaged file until that has worked.`,
      { cause: error },
    )
  }
  if (code === 'SQLITE_NOTADB') {
    return new RelayStartError(
      'data-foreign',
      `${path} is not a SQLite database. Give the relay a data directory of its own.`,
      { cause: error },
    )
  }
  return new RelayStartError(
    'data-unwritable',
    `${path} can't be opened for writing (${messageOf(error)}). Check that the directory exists, that this user may ` +
      'write there, and that the disk is not full.',
    { cause: error },
  )
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
