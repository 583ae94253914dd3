import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inRepository } from './repository.js'

export interface BookmarkFile {
  readonly path: string
  /** Different addresses of web pages in it: as many cards as an import into an empty collection makes. */
  readonly addresses: ReadonlySet<string>
}

/** Writes a bookmark export of so many links with the example's own generator; the same for the same seed. */
export function generateBookmarkFile(folder: string, count: number, seed: number): BookmarkFile {
  const path = join(folder, 'bookmarks.html')
  const script = inRepository('examples/cards/scripts/generate-bookmarks.ts')
  const options = ['--count', String(count), '--seed', String(seed)]
  execFileSync(process.execPath, ['--import', 'tsx', script, path, ...options], {
    cwd: inRepository('test'),
  })
  const links = readFileSync(path, 'utf8').matchAll(/HREF="(https?:[^"]+)"/g)
  return { path, addresses: new Set(Array.from(links, ([, address = '']) => address)) }
}
