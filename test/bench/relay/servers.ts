import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findFreePort } from '../../support/free-port.js'
import { endProcess, type OwnedProcess, spawnOwned } from '../../support/owned-process.js'
import { inRepository, removeFolder, temporaryFolder } from '../../support/repository.js'
import { onCore, SERVER_CORE } from '../node-program.js'
import type { DialectName } from '../programs/relay/dialect.js'

/** What one client may take of a relay in earnest; here one process plays all of them, and the peers have no such limits. */
export const FULL_SPEED = [
  'operationsBurst',
  'userOperationsBurst',
  'framesBurst',
  'catchUpBurst',
  'hellosBurst',
  'maxConnections',
  'maxConnectionsPerAddress',
  'maxConnectionsPerUser',
].flatMap((limit) => ['--limit', `${limit}=1000000000`])

export interface Memory {
  /** Bytes of the process that are in memory. */
  readonly rss: number
  /** Bytes that JavaScript holds, with its buffers. */
  readonly heap: number
}

/** A contender on one core, on one port and one data directory for all of its lives. */
export interface Server {
  /** What load needs to know. */
  readonly address: { readonly dialect: DialectName; readonly port: number; readonly pid: number }
  /** What it takes once its garbage is collected. */
  memory(): Promise<Memory>
  /** Resolves when it has had nothing to do for a second, or after half a minute. */
  idle(): Promise<void>
  /** Ends it with SIGKILL, if it still runs, and starts it again on what it has stored. */
  restart(): Promise<void>
  dispose(): Promise<void>
}

/** Answers SIGUSR2 with the memory that is left after collecting the garbage: the same for all, without touching their code. */
const GAUGE = `process.on('SIGUSR2', () => {
  gc(); gc()
  const { rss, heapUsed, external } = process.memoryUsage()
  process.stderr.write('gauge ' + JSON.stringify({ rss, heap: heapUsed + external }) + '\\n')
})`
const START_DEADLINE_MS = 20_000
const SECOND_MS = 1_000
const IDLE_SECONDS = 30
/** Hundredths of a second of processor time in a second that count as nothing. */
const IDLE_TICKS = 2

const commands: Readonly<Record<DialectName, (port: number, folder: string) => string[]>> = {
  tidemark: (port, folder) => {
    const cli = inRepository('packages/server/dist/cli.js')
    const options = ['--port', String(port), '--data', join(folder, 'data')]
    return [process.execPath, cli, 'serve', ...options, '--log-level', 'error', ...FULL_SPEED]
  },
  hocuspocus: (port, folder) => [
    process.execPath,
    '--import',
    import.meta.resolve('tsx'),
    inRepository('test/bench/programs/hocuspocus-relay.ts'),
    String(port),
    join(folder, 'hocuspocus.sqlite'),
  ],
  yWebsocket: (port, folder) => [
    'env',
    'HOST=127.0.0.1',
    `PORT=${port}`,
    `YPERSISTENCE=${join(folder, 'leveldb')}`,
    process.execPath,
    import.meta
      .resolve('@y/websocket-server/package.json')
      .replace('file://', '')
      .replace('package.json', 'src/server.js'),
  ],
}
/** What each prints when it listens. */
const ANNOUNCEMENT = /Tidemark relay on|listening|running at/

export async function startServer(dialect: DialectName): Promise<Server> {
  const port = await findFreePort()
  const folder = temporaryFolder('bench-relay')
  let child: OwnedProcess
  let tellMemory = (_memory: Memory): void => {}

  async function start(): Promise<number> {
    const [node = '', ...script] = commands[dialect](port, folder)
    const at = script.indexOf(process.execPath)
    const gauge = ['--expose-gc', '--import', `data:text/javascript,${encodeURIComponent(GAUGE)}`]
    script.splice(at + 1, 0, ...gauge)
    const [program = '', ...args] = [...onCore(SERVER_CORE), node, ...script]
    child = spawnOwned(program, args)
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      const told = /^gauge (.*)$/m.exec(text)?.[1]
      if (told !== undefined) tellMemory(JSON.parse(told) as Memory)
    })
    await announced(child, dialect)
    if (child.pid === undefined) throw new Error(`${dialect} has no process id.`)
    return child.pid
  }

  let pid = await start()
  return {
    get address() {
      return { dialect, port, pid }
    },
    memory: () =>
      new Promise((resolve) => {
        tellMemory = resolve
        process.kill(pid, 'SIGUSR2')
      }),
    async idle() {
      let before = ticksOf(pid)
      for (let second = 0; second < IDLE_SECONDS; second++) {
        await new Promise((resolve) => setTimeout(resolve, SECOND_MS))
        const now = ticksOf(pid)
        if (now - before <= IDLE_TICKS) return
        before = now
      }
    },
    async restart() {
      await endProcess(child, 'SIGKILL')
      pid = await start()
    },
    async dispose() {
      await endProcess(child, 'SIGKILL')
      removeFolder(folder)
    },
  }
}

function announced(child: OwnedProcess, dialect: DialectName): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(
      () => reject(new Error(`${dialect} did not start in time.`)),
      START_DEADLINE_MS,
    )
    child.once('close', (code) => reject(new Error(`${dialect} ended with code ${code}.`)))
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (!ANNOUNCEMENT.test(output)) return
      clearTimeout(deadline)
      resolve()
    })
  })
}

function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return Number(fields[11]) + Number(fields[12])
}
