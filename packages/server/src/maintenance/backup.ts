import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  DATABASE_FILE,
  lockFile,
  NOWHERE,
  openDatabaseReader,
  readMeta,
  readPragma,
  type SqliteDatabase,
  scanDatabase,
  sizeOf,
  syncDirectory,
  syncFile,
  writeMeta,
} from '../storage/index.js'
import { RELAY_VERSION } from '../version.js'
import { MaintenanceError } from './errors.js'
import { requireFreeSpace } from './free-space.js'
import { bytesOf, hashFile, MANIFEST_FILE, type Manifest, newManifest } from './manifest.js'
import { openForChange } from './open-for-change.js'
import { type Verification, verifyDatabase } from './verify.js'

export interface BackupOptions {
  /** The data directory; its relay may be running. */
  readonly data: string
  /** The directory that holds backups; made when it isn't there. */
  readonly to: string
  /** How many backups to keep there, with this one; the oldest go once this one is verified. Default: all. */
  readonly keep?: number | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** The copying begins; it blocks this thread. What is returned is called at its end. */
  readonly onCopy?: (path: string, bytes: number) => () => void
  readonly onVerify?: (done: number, total: number) => void
}

export interface Backup {
  /** The directory of this backup. */
  readonly path: string
  readonly manifest: Manifest
  /** Older backups that were removed. */
  readonly removed: readonly string[]
}

const BACKUP_NAME = /^tidemark-\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}-\d{3}Z$/
const PARTIAL_SUFFIX = '.partial'

/**
 * Copies a database as it is after one commit, verifies the copy, and only then gives it its name. Everything that was
 * acknowledged before the call is in it (reliability BAK-1).
 *
 * @throws MaintenanceError `backup-running`, `disk-full`, `data-damaged`
 * @throws RelayStartError `data-missing`, and why the database can't be read
 */
export function backUp(options: BackupOptions): Backup {
  const to = resolve(options.to)
  const source = openDatabaseReader(options.data)
  try {
    mkdirSync(to, { recursive: true })
    const unlock = lockBackups(to)
    try {
      removePartials(to)
      return writeBackup(source, to, options)
    } finally {
      unlock()
    }
  } finally {
    source.close()
  }
}

function writeBackup(source: SqliteDatabase, to: string, options: BackupOptions): Backup {
  const size = sizeOf(source)
  requireFreeSpace(to, size, 'The backup')
  const takenAt = new Date(options.now()).toISOString()
  const name = `tidemark-${takenAt.replaceAll(/[:.]/g, '-')}`
  const partial = join(to, `.${name}${PARTIAL_SUFFIX}`)
  const path = join(to, name)
  mkdirSync(partial)
  const copy = join(partial, DATABASE_FILE)
  const copied = options.onCopy?.(copy, size)
  try {
    source.prepare('VACUUM INTO ?').run(copy)
  } finally {
    copied?.()
  }
  const manifest = describeCopy(copy, takenAt, options)
  const manifestPath = join(partial, MANIFEST_FILE)
  writeFileSync(manifestPath, `${JSON.stringify(manifest, null, 2)}\n`)
  // SQLite syncs nothing of what `VACUUM INTO` writes.
  for (const file of [copy, manifestPath]) syncFile(file)
  syncDirectory(partial)
  renameSync(partial, path)
  syncDirectory(to)
  return { path, manifest, removed: removeOldest(to, options.keep) }
}

function describeCopy(copy: string, takenAt: string, { onVerify }: BackupOptions): Manifest {
  const database = openForChange(copy)
  let facts: Omit<Manifest, 'format' | 'database'>
  try {
    // Whoever starts a relay on it without a restore gets another epoch all the same.
    writeMeta(database, 'place', NOWHERE)
    const verification = verifyDatabase(database, onVerify)
    requireUndamaged(verification)
    const heads = [...scanDatabase(database).spaces()].map(({ space, head }) => [space, head])
    facts = {
      relay: RELAY_VERSION,
      schema: Number(readPragma(database, 'user_version')),
      epoch: readMeta(database, 'epoch') ?? '',
      takenAt,
      entities: verification.entities,
      operations: verification.operations,
      heads: Object.fromEntries(heads),
    }
  } finally {
    database.close()
  }
  return newManifest({ ...facts, database: { bytes: bytesOf(copy), sha256: hashFile(copy) } })
}

function requireUndamaged({ damage }: Verification): void {
  const [first] = damage
  if (first === undefined) return
  throw new MaintenanceError(
    'data-damaged',
    `The data is damaged in ${damage.length} place(s), the first one ${first.what}: ${first.problem} No backup was ` +
      'written, and older ones were kept. `tidemark inspect --verify` lists everything.',
  )
}

function lockBackups(to: string): () => void {
  return lockFile(
    join(to, '.tidemark-backup.lock'),
    (cause) =>
      new MaintenanceError(
        'backup-running',
        `Another backup is being written to ${to}. Wait for it, or choose another directory.`,
        { cause },
      ),
  )
}

/** What a killed backup has left. Nobody writes to it: the lock is ours. */
function removePartials(to: string): void {
  for (const name of readdirSync(to)) {
    if (name.startsWith('.tidemark-') && name.endsWith(PARTIAL_SUFFIX))
      rmSync(join(to, name), { recursive: true })
  }
}

function removeOldest(to: string, keep: number | undefined): readonly string[] {
  if (keep === undefined) return []
  // Their names are in the order of their times.
  const backups = readdirSync(to)
    .filter((name) => BACKUP_NAME.test(name))
    .sort()
  const old = backups.slice(0, Math.max(0, backups.length - keep)).map((name) => join(to, name))
  for (const path of old) rmSync(path, { recursive: true })
  return old
}
