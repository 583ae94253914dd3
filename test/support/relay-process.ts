import { existsSync, readFileSync, statSync, watch } from 'node:fs'
import { join } from 'node:path'
import { findFreePort } from './free-port.js'
import { endProcess, type OwnedProcess, spawnOwned } from './owned-process.js'
import { survivingLog } from './power-cut.js'
import { inRepository, removeFolder, temporaryFolder } from './repository.js'
import { hasStrace, withSlowSync } from './strace.js'

/** A relay that really runs, with the example app, on one port and one data directory for all of its lives. */
export interface RelayProcess {
  readonly url: string
  /** Its data directory. */
  readonly data: string
  /** How strace sees its write-ahead log; undefined unless the disk is slowed down. */
  readonly trace: { readonly file: string; readonly initialBytes: number } | undefined
  /** How often it was ended. */
  readonly outages: number
  /** What it wrote to its standard error, in all of its lives. */
  readonly log: readonly string[]
  /** Starts it again. Resolves when it answers. */
  start(): Promise<void>
  /** Resolves in the middle of its next commit: something is written, and not yet synced if the disk is slowed down. */
  nextWrite(): Promise<void>
  /** Ends it as a service manager does, with time to close. */
  stop(): Promise<void>
  /** Ends it with SIGKILL. */
  kill(): Promise<void>
  /** Ends it for good and deletes its data. */
  dispose(): Promise<void>
}

export interface RelayProcessOptions {
  /** Milliseconds that each fsync of the write-ahead log takes longer, where strace is to be had. */
  readonly slowSync?: number
}

const WAL = 'tidemark.db-wal'
const START_DEADLINE_MS = 20_000

/** Starts `tidemark serve`. Needs the packages and the example to be built. */
export async function startRelay({ slowSync }: RelayProcessOptions = {}): Promise<RelayProcess> {
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const folder = temporaryFolder('relay')
  const data = join(folder, 'data')
  const wal = join(data, WAL)
  const traced = slowSync !== undefined && hasStrace()
  if (slowSync !== undefined && !traced) {
    console.warn(
      'strace is missing: the relay syncs at full speed, and what a power cut would leave isn’t looked at.',
    )
  }
  const log: string[] = []
  let child: OwnedProcess | undefined
  let trace: RelayProcess['trace']
  let lives = 0
  let outages = 0

  /** What earlier lives have synced: to have written is not enough, and a restart changes nothing about that. */
  function syncedBytes(): number {
    if (trace === undefined || !existsSync(wal)) return 0
    const { bytes } = survivingLog(readFileSync(trace.file, 'utf8'), trace.initialBytes)
    return Math.min(bytes, statSync(wal).size)
  }

  async function start(): Promise<void> {
    lives += 1
    const command = [process.execPath, built('packages/server/dist/cli.js'), 'serve']
    const options = [
      '--port',
      String(port),
      '--data',
      data,
      '--public',
      built('examples/cards/dist'),
    ]
    if (traced) {
      trace = { file: join(folder, `strace-${lives}.log`), initialBytes: syncedBytes() }
      command.unshift(...withSlowSync(wal, trace.file, slowSync))
    }
    const [program = '', ...args] = [...command, ...options]
    child = spawnOwned(program, args)
    child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(text))
    await announced(child, log)
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child === undefined) return
    await endProcess(child, signal)
    child = undefined
    outages += 1
  }

  await start()
  return {
    url,
    data,
    get trace() {
      return trace
    },
    get outages() {
      return outages
    },
    log,
    start,
    nextWrite: () => changeOf(data, WAL),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async dispose() {
      await end('SIGKILL')
      removeFolder(folder)
    },
  }
}

function changeOf(folder: string, name: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(folder, (_event, changed) => {
      if (changed !== name) return
      watcher.close()
      resolve()
    })
  })
}

function built(path: string): string {
  const file = inRepository(path)
  if (existsSync(file)) return file
  throw new Error(`${path} is missing. Build first: \`pnpm build && pnpm build:examples\`.`)
}

/** Resolves when the relay says where it listens. */
function announced(child: OwnedProcess, log: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = (why: string): void => {
      clearTimeout(deadline)
      child.kill('SIGKILL')
      reject(new Error(`The relay ${why}. It wrote:\n${log.join('')}`))
    }
    const deadline = setTimeout(() => giveUp('did not start in time'), START_DEADLINE_MS)
    child.once('error', (error) => giveUp(`could not be started: ${error.message}`))
    child.once('close', (code) => giveUp(`ended with code ${code} instead of starting`))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (!text.includes('Tidemark relay on ')) return
      clearTimeout(deadline)
      resolve()
    })
  })
}
