import { randomUUID } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import {
  beginEpoch,
  DATABASE_FILE,
  lockDataDirectory,
  RESTORED_FILE,
  settlePlace,
  syncDirectory,
  syncFile,
} from '../storage/index.js'
import { requireOwnFile } from '../storage/sqlite-database.js'
import { MaintenanceError } from './errors.js'
import { requireFreeSpace } from './free-space.js'
import { hashFile, type Manifest, readManifest, requireMatch } from './manifest.js'
import { openForChange } from './open-for-change.js'
import { verifyDatabase } from './verify.js'

export interface RestoreOptions {
  /** The directory of a backup. */
  readonly from: string
  /** The data directory; its relay must not run. Made when it isn't there. */
  readonly data: string
  /** Whether a database that is there may be put aside. */
  readonly force?: boolean | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly onVerify?: (done: number, total: number) => void
}

export interface Restore {
  readonly manifest: Manifest
  /** The new epoch: clients notice, and hand back what they have and the backup has not [L22]. */
  readonly epoch: string
  /** Where the former database is now; undefined when there was none. */
  readonly movedTo: string | undefined
}

const PARTIAL_FILE = 'tidemark.restoring.db'
/** The database, and what SQLite keeps beside it. The log goes first: without its database it means nothing. */
const FORMER_FILES = ['relay.state', `${DATABASE_FILE}-wal`, `${DATABASE_FILE}-shm`, DATABASE_FILE]

/**
 * Puts a backup in the place of a database, as another life of it. The backup is copied and verified beside what is there
 * first; from then on until the end no relay starts there, so that nobody serves half of it.
 *
 * @throws MaintenanceError `backup-invalid`, `data-not-empty`, `disk-full`
 * @throws RelayStartError `data-locked`, `data-unwritable`
 */
export function restore(options: RestoreOptions): Restore {
  const from = resolve(options.from)
  const data = resolve(options.data)
  const manifest = readManifest(from)
  mkdirSync(data, { recursive: true })
  const unlock = lockDataDirectory(data)
  try {
    const isUnfinished = existsSync(join(data, RESTORED_FILE))
    const hasFormer = FORMER_FILES.some((name) => existsSync(join(data, name)))
    if ((hasFormer || isUnfinished) && options.force !== true) {
      throw new MaintenanceError(
        'data-not-empty',
        `${data} holds a database already. Choose an empty directory, or add --force: what is there is then put aside, not deleted.`,
      )
    }
    const partial = join(data, PARTIAL_FILE)
    try {
      copyVerified(from, partial, manifest, options)
    } catch (error) {
      rmSync(partial, { force: true })
      throw error
    }
    const epoch = beginLife(partial)
    const aside = hasFormer ? folderAside(data, options.now(), isUnfinished) : undefined
    renameSync(partial, join(data, RESTORED_FILE))
    syncDirectory(data)
    if (aside !== undefined) putAside(data, aside)
    renameSync(join(data, RESTORED_FILE), join(data, DATABASE_FILE))
    syncDirectory(data)
    return { manifest, epoch, movedTo: aside }
  } finally {
    unlock()
  }
}

/** The backup itself is only read: SQLite opens the copy. */
function copyVerified(
  from: string,
  to: string,
  manifest: Manifest,
  { data, onVerify }: RestoreOptions,
): void {
  const source = join(from, DATABASE_FILE)
  if (!existsSync(source)) {
    throw new MaintenanceError(
      'backup-invalid',
      `${from} has no ${DATABASE_FILE}. Use another backup.`,
    )
  }
  requireFreeSpace(data, manifest.database.bytes, 'The restore')
  rmSync(to, { force: true })
  const descriptor = openSync(to, 'wx')
  let bytes = 0
  let sha256: string
  try {
    sha256 = hashFile(source, (chunk) => {
      bytes += chunk.length
      for (let written = 0; written < chunk.length; )
        written += writeSync(descriptor, chunk, written)
    })
  } finally {
    closeSync(descriptor)
  }
  requireMatch(from, manifest, { bytes, sha256 })
  const database = openForChange(to)
  try {
    requireOwnFile(database, source)
    const { damage } = verifyDatabase(database, onVerify)
    const [first] = damage
    if (first === undefined) return
    throw new MaintenanceError(
      'backup-invalid',
      `The backup is damaged: ${first.what}: ${first.problem} Use another one; nothing was changed.`,
    )
  } finally {
    database.close()
  }
}

function beginLife(path: string): string {
  const epoch = randomUUID()
  const database = openForChange(path)
  try {
    // The backup's place is nowhere, so that this is another life of it wherever it is.
    settlePlace(database, path, () => epoch)
    beginEpoch(database, epoch)
  } finally {
    database.close()
  }
  syncFile(path)
  return epoch
}

const ASIDE_NAME = /^replaced-/

/**
 * Makes a folder in the data directory itself: that may be a mount point, which can't be renamed. A restore that is run
 * again goes on with the folder that it had begun with, so that a database stays beside its log.
 */
function folderAside(data: string, now: number, isUnfinished: boolean): string {
  const known = readdirSync(data)
    .filter((name) => ASIDE_NAME.test(name))
    .sort()
    .at(-1)
  if (isUnfinished && known !== undefined) {
    const begun = join(data, known)
    if (!existsSync(join(begun, DATABASE_FILE))) return begun
  }
  const aside = join(data, `replaced-${new Date(now).toISOString().replaceAll(/[:.]/g, '-')}`)
  mkdirSync(aside)
  return aside
}

function putAside(data: string, aside: string): void {
  for (const name of FORMER_FILES) {
    if (existsSync(join(data, name))) renameSync(join(data, name), join(aside, name))
  }
  syncDirectory(aside)
  syncDirectory(data)
}
