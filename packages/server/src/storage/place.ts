import { statSync } from 'node:fs'
import type { SqliteDatabase } from './sqlite-database.js'

/**
 * Where a database file is, as its file system knows it: `<inode>/<time of birth>`. A file that was copied, by hand, with
 * rsync or out of an archive, has another place than the one that it was copied from (reliability BAK-4).
 *
 * A copy of a whole disk keeps the place. So does a file whose content was overwritten.
 */
export function placeOf(path: string): string {
  const { ino, birthtimeNs, ctimeNs } = statSync(path, { bigint: true })
  // Where the time of birth is not known, Node may give that of the last change instead.
  return `${ino}/${birthtimeNs === ctimeNs ? 0 : birthtimeNs}`
}

/** No file has that place: whatever starts on a database that says so is another life of it. */
export const NOWHERE = 'nowhere'

export function isSamePlace(a: string, b: string): boolean {
  const [inode, born] = a.split('/')
  const [otherInode, otherBorn] = b.split('/')
  return inode === otherInode && (born === '0' || otherBorn === '0' || born === otherBorn)
}

/**
 * Notes where the database is. In another place than when it was used last it is a copy, and the original may go on: it
 * then gets an epoch of its own, so that clients notice and compare instead of taking one's sequence for the other's [L22].
 *
 * @returns whether there is a new epoch
 */
export function settlePlace(
  database: SqliteDatabase,
  path: string,
  newEpoch: () => string,
): boolean {
  const place = placeOf(path)
  const known = readMeta(database, 'place')
  if (known === place) return false
  const moved = known !== undefined && !isSamePlace(known, place)
  database.exec('BEGIN IMMEDIATE')
  if (moved) beginEpoch(database, newEpoch())
  writeMeta(database, 'place', place)
  database.exec('COMMIT')
  return moved
}

/** Another life of the database begins: for some time it takes back what devices have and it has not [L22]. */
export function beginEpoch(database: SqliteDatabase, epoch: string): void {
  writeMeta(database, 'epoch', epoch)
  writeMeta(database, 'epoch_started_at', String(Date.now()))
}

export function readMeta(database: SqliteDatabase, key: string): string | undefined {
  const row: unknown = database.prepare('SELECT value FROM meta WHERE key = ?').raw().get(key)
  return Array.isArray(row) ? String(row[0]) : undefined
}

export function writeMeta(database: SqliteDatabase, key: string, value: string): void {
  database.prepare('REPLACE INTO meta (key, value) VALUES (?, ?)').run(key, value)
}
