import { performance } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import { formatBytes } from '../maintenance/index.js'
import { printError } from './output.js'

/** What is done within that time needs no progress. */
const INTERVAL_MS = 1_000

export type ShowProgress = (done: number, total: number) => void

/** Whether progress is wanted: where a person looks, or where it was asked for. */
export function wantsProgress(asked: boolean | undefined): boolean {
  return asked === true || process.stderr.isTTY
}

/** Prints a line a second, for as long as it takes. */
export function countProgress(what: string, isWanted: boolean): ShowProgress {
  let next = performance.now() + INTERVAL_MS
  return (done, total) => {
    if (!isWanted || performance.now() < next) return
    next = performance.now() + INTERVAL_MS
    printError(`${what}: ${done} of ${total}\n`)
  }
}

/** The same for a file that grows while this thread is busy with it. Returns what ends it. */
export function watchCopy(path: string, bytes: number): () => void {
  printError(`copying ${formatBytes(bytes)}\n`)
  const worker = new Worker(new URL('./copy-watcher.js', import.meta.url), {
    workerData: { path, bytes, interval: INTERVAL_MS },
  })
  // Nobody's backup fails because nobody could watch it.
  worker.on('error', () => {})
  worker.unref()
  return () => void worker.terminate()
}
