import { closeSync, fsyncSync, openSync } from 'node:fs'

/** A new file is durable only once its directory is. Windows can't do that and needn't. */
export function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
