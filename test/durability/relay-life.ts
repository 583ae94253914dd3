import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { endProcess, spawnOwned } from '../support/owned-process.js'
import { inRepository } from '../support/repository.js'

/** One life of a relay's process. */
export interface RelayLife {
  /** Undefined when it ended before it listened. */
  readonly url: string | undefined
  readonly pid: number
  readonly ended: Promise<End>
  /** What it wrote to its standard error so far. */
  errors(): string
  /** Ends it as a service manager does. */
  stop(): Promise<End>
  kill(): Promise<End>
}

export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly errors: string
}

export interface LifeOptions {
  readonly data: string
  /** What it runs under, with its arguments. */
  readonly under?: readonly string[]
  /** A module that is loaded into the process first. */
  readonly preload?: string
}

const START_DEADLINE_MS = 60_000
const POLL_MS = 5

/** Starts `tidemark serve`. Needs the packages to be built. Resolves when it listens, or has ended instead. */
export async function startLife({ data, under = [], preload }: LifeOptions): Promise<RelayLife> {
  const cli = inRepository('packages/server/dist/cli.js')
  if (!existsSync(cli)) throw new Error('The relay is not built yet: run `pnpm build` first.')
  const [program = '', ...args] = [
    ...under,
    process.execPath,
    ...(preload === undefined ? [] : ['--import', preload]),
    ...[cli, 'serve', '--port', '0', '--data', data],
  ]
  const child = spawnOwned(program, args)
  let errors = ''
  let url: string | undefined
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const ended = once(child, 'close').then(([code, signal]): End => ({ code, signal, errors }))
  const listens = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      url ??= /^Tidemark relay on (\S+)/.exec(text)?.[1]
      if (url !== undefined) resolve()
    })
  })
  const deadline = setTimeout(() => child.kill('SIGKILL'), START_DEADLINE_MS)
  await Promise.race([listens, ended])
  clearTimeout(deadline)

  async function end(signal: NodeJS.Signals): Promise<End> {
    await endProcess(child, signal)
    return ended
  }

  return {
    url,
    pid: child.pid ?? 0,
    ended,
    errors: () => errors,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

/** The whole log of a tracer: it goes on writing for a moment after the traced process is gone. */
export async function finishedTrace(log: string, pid: number): Promise<string> {
  for (;;) {
    const text = existsSync(log) ? readFileSync(log, 'utf8') : ''
    if (new RegExp(`^${pid} +\\+\\+\\+ (exited|killed) .*\\n`, 'm').test(text)) return text
    await delay(POLL_MS)
  }
}
