import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findFreePort } from './free-port.js'
import { endProcess, type OwnedProcess, spawnOwned } from './owned-process.js'
import { inRepository, removeFolder, temporaryFolder } from './repository.js'

/** The `tidemark` command in a process of its own, on one port and one data directory for all of its lives. */
export interface RelayCommand {
  readonly url: string
  /** For clients. */
  readonly webSocketUrl: string
  readonly data: string
  readonly isRunning: boolean
  /** What it logged, in all of its lives. */
  logged(): readonly LogLine[]
  /** Its metrics by name and labels, as they are written. */
  metrics(): Promise<ReadonlyMap<string, number>>
  start(): Promise<void>
  /** With time to say goodbye. */
  stop(): Promise<void>
  kill(): Promise<void>
  dispose(): Promise<void>
}

export interface LogLine {
  readonly time: number
  readonly msg: string
  readonly [field: string]: unknown
}

export interface RelayCommandOptions {
  readonly limits?: Readonly<Record<string, number>>
  readonly logLevel?: string
}

/** Needs the packages to be built. */
export async function startRelayCommand({
  limits = {},
  logLevel = 'info',
}: RelayCommandOptions = {}): Promise<RelayCommand> {
  const program = inRepository('packages/server/dist/cli.js')
  if (!existsSync(program)) throw new Error('The command is not built yet: run `pnpm build` first.')
  const port = await findFreePort()
  const folder = temporaryFolder('relay-command')
  const data = join(folder, 'data')
  const url = `http://127.0.0.1:${port}`
  let log = ''
  let child: OwnedProcess | undefined

  async function start(): Promise<void> {
    const set = Object.entries(limits).flatMap(([name, value]) => ['--limit', `${name}=${value}`])
    const place = ['--port', String(port), '--data', data, '--log-level', logLevel]
    const started = spawnOwned(process.execPath, [program, 'serve', ...place, ...set])
    child = started
    started.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text
    })
    started.once('close', () => {
      if (child === started) child = undefined
    })
    await new Promise<void>((resolve, reject) => {
      started.stdout.once('data', () => resolve())
      started.once('close', () => reject(new Error(`The relay ended instead of starting:\n${log}`)))
    })
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child !== undefined) await endProcess(child, signal)
  }

  await start()
  return {
    url,
    webSocketUrl: url.replace('http', 'ws'),
    data,
    get isRunning() {
      return child !== undefined
    },
    logged: () =>
      log
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as LogLine),
    metrics: async () => parseMetrics(await (await fetch(`${url}/metrics`)).text()),
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async dispose() {
      await end('SIGKILL')
      removeFolder(folder)
    },
  }
}

function parseMetrics(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), Number(line.slice(at + 1))]
    }),
  )
}
