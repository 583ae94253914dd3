import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { RelayStartError } from '../errors.js'

export const DATABASE_FILE = 'tidemark.db'

/** A verified database that waits to take the place of the one beside it. While it is there, nothing may be served. */
export const RESTORED_FILE = 'tidemark.restored.db'

/** @throws RelayStartError `data-missing` */
export function requireDatabase(directory: string): string {
  const path = join(directory, DATABASE_FILE)
  if (existsSync(path)) return path
  throw new RelayStartError(
    'data-missing',
    `${directory} holds no database of a relay (${DATABASE_FILE}). Name the relay's data directory.`,
  )
}

/** @throws RelayStartError `restore-unfinished` */
export function requireFinishedRestore(directory: string): void {
  if (!existsSync(join(directory, RESTORED_FILE))) return
  throw new RelayStartError(
    'restore-unfinished',
    `A restore into ${directory} was interrupted half-way. Run the same \`tidemark restore\` again, with --force; what was there before is kept in a folder beside it.`,
  )
}

/** A new name is durable only once its directory is. Windows can't do that and needn't. */
export function syncDirectory(directory: string): void {
  if (process.platform !== 'win32') syncFile(directory)
}

export function syncFile(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
