import { statSync, writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { formatBytes } from '../maintenance/free-space.js'

/** Runs in a thread of its own: SQLite copies in one call, and the main thread waits for it. */
const { path, bytes, interval } = workerData as {
  readonly path: string
  readonly bytes: number
  readonly interval: number
}
const STDERR = 2

setInterval(() => {
  const { size } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0 }
  // Written past the main thread, which `process.stderr` would need.
  writeSync(STDERR, `copying: ${formatBytes(size)} of ${formatBytes(bytes)}\n`)
}, interval)
