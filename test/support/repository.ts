import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The path of something in the repository. */
export function inRepository(path: string): string {
  return join(root, path)
}

/** An empty folder outside the repository, for whoever asks to remove again. */
export function temporaryFolder(what: string): string {
  return mkdtempSync(join(tmpdir(), `tidemark-${what}-`))
}

/** Tries more than once, because a process that was just killed may still be letting go of its files. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}
