import { accessSync, constants, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { removeFolder, temporaryFolder } from '../support/repository.js'

const MEMORY = '/dev/shm'

/** An empty folder that is gone afterwards; in memory where that can be had, since nothing here waits for a real disk. */
export async function inScratchFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = makeScratchFolder()
  try {
    return await use(folder)
  } finally {
    removeFolder(folder)
  }
}

export function makeScratchFolder(): string {
  try {
    accessSync(MEMORY, constants.W_OK)
    return mkdtempSync(join(MEMORY, 'tidemark-durability-'))
  } catch {
    return temporaryFolder('durability')
  }
}
