import { statfsSync } from 'node:fs'
import { MaintenanceError } from './errors.js'

/** For directories, journals and rounding. */
const MARGIN_BYTES = 1024 * 1024

/** @throws MaintenanceError `disk-full` */
export function requireFreeSpace(directory: string, bytes: number, what: string): void {
  const { bavail, bsize } = statfsSync(directory)
  const free = bavail * bsize
  const needed = bytes + MARGIN_BYTES
  if (free >= needed) return
  throw new MaintenanceError(
    'disk-full',
    `${what} needs ${formatBytes(needed)} in ${directory}, and ${formatBytes(free)} are free. Make room first; nothing was changed.`,
  )
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
