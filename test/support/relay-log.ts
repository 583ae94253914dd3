import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'libsql'
import { survivingLog } from './power-cut.js'
import type { RelayProcess } from './relay-process.js'
import { removeFolder, temporaryFolder } from './repository.js'

/** An operation that the relay has committed. */
export interface CommittedOperation {
  readonly id: string
  readonly space: string
  readonly sequence: number
}

const DATABASE = 'tidemark.db'
const WAL = 'tidemark.db-wal'
const WAL_HEADER_BYTES = 32
const ATTEMPTS = 20

/**
 * The operations in the relay's own database, by id, read beside the relay without a word to it. Where the relay runs
 * under strace: only what would still be there after a power cut now.
 *
 * Reads a copy: opening the files themselves would make another process take locks on them, and libsql ignores `readonly`.
 */
export function readRelayLog(
  relay: Pick<RelayProcess, 'data' | 'trace'>,
): Map<string, CommittedOperation> {
  const folder = temporaryFolder('relay-log')
  try {
    copyDatabase(relay, folder)
    return readOperations(join(folder, DATABASE))
  } finally {
    removeFolder(folder)
  }
}

/** The copies belong together when no checkpoint touched either file meanwhile. */
function copyDatabase({ data, trace }: Pick<RelayProcess, 'data' | 'trace'>, folder: string): void {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = stateOf(data)
    // Read first: everything that it says is synced is in the copies that are made afterwards.
    const surviving =
      trace === undefined
        ? undefined
        : survivingLog(readFileSync(trace.file, 'utf8'), trace.initialBytes)
    copyFileSync(join(data, DATABASE), join(folder, DATABASE))
    if (existsSync(join(data, WAL))) {
      copyFileSync(join(data, WAL), join(folder, WAL))
      if (surviving !== undefined) truncateSync(join(folder, WAL), surviving.bytes)
    }
    if (stateOf(data) === before) return
  }
  throw new Error(
    `The database in ${data} did not stand still for one copy in ${ATTEMPTS} attempts.`,
  )
}

/** Changes with every checkpoint: the database file is written, or the log gets a new header (with new salts). */
function stateOf(data: string): string {
  const { mtimeMs, size } = statSync(join(data, DATABASE))
  return [mtimeMs, size, headerOf(join(data, WAL))].join()
}

function headerOf(wal: string): string {
  if (!existsSync(wal)) return 'none'
  const header = Buffer.alloc(WAL_HEADER_BYTES)
  const file = openSync(wal, 'r')
  try {
    readSync(file, header, 0, header.length, 0)
  } finally {
    closeSync(file)
  }
  return header.toString('hex')
}

function readOperations(file: string): Map<string, CommittedOperation> {
  const database = new Database(file)
  try {
    // Not even the tables are there when no fsync has ever covered them.
    const tables = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'operations'").all()
    if (tables.length === 0) return new Map()
    const rows = database
      .prepare('SELECT id, space, sequence FROM operations ORDER BY space, sequence')
      .raw()
      .all() as [string, string, number][]
    return new Map(rows.map(([id, space, sequence]) => [id, { id, space, sequence }]))
  } finally {
    database.close()
  }
}
