import { spawnSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { inScratchFolder } from './scratch.js'

/** A small file system of its own. */
export interface SmallDisk {
  readonly folder: string
  fill(): void
  free(): void
}

const SIZE = '2m'
const FILLER = 'filler'

/** Only root may have one, and not everywhere. */
export async function canMount(): Promise<boolean> {
  return inScratchFolder(async (folder) => {
    const mounted = mount(folder)
    if (mounted) spawnSync('umount', [folder])
    return mounted
  })
}

export function withSmallDisk<T>(use: (disk: SmallDisk) => Promise<T>): Promise<T> {
  return inScratchFolder(async (folder) => {
    if (!mount(folder)) throw new Error('no file system can be mounted here')
    const filler = join(folder, FILLER)
    try {
      return await use({
        folder,
        fill: () => fill(filler),
        free: () => rmSync(filler),
      })
    } finally {
      spawnSync('umount', ['--lazy', folder])
    }
  })
}

function mount(folder: string): boolean {
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', folder])
  return status === 0
}

function fill(path: string): void {
  const file = openSync(path, 'a')
  try {
    for (const block = Buffer.alloc(4096); ; ) writeSync(file, block)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(file)
  }
}
