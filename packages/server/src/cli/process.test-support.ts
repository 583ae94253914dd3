import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

export interface CommandProcess {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

/** Starts the built command; it ends with the test. */
export function start(...parameters: readonly string[]): CommandProcess {
  if (!existsSync(CLI)) throw new Error('The command is not built yet: run `pnpm build` first.')
  const child = spawn(process.execPath, [CLI, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  let errors = ''
  child.stdout.on('data', (data: Buffer) => {
    output += String(data)
  })
  child.stderr.on('data', (data: Buffer) => {
    errors += String(data)
  })
  const ended = once(child, 'close').then(([code]) => ({
    code: code as number | null,
    output,
    errors,
  }))
  return { child, ended }
}

/** Runs the built command to its end. */
export function run(...parameters: readonly string[]): Promise<Ended> {
  return start(...parameters).ended
}

/** What the built command prints as JSON; fails unless it ends with 0. */
export async function runJson<T>(...parameters: readonly string[]): Promise<T> {
  const { code, output, errors } = await run(...parameters, '--json')
  if (code !== 0) throw new Error(`${parameters.join(' ')} ended with ${code}: ${errors}`)
  return JSON.parse(output) as T
}

export interface RelayUnderTest extends CommandProcess {
  readonly url: string
  stop(): Promise<void>
}

/** Writers of tests write as fast as they can, and don't come back with what is one too many. */
const FULL_SPEED = ['operationsBurst', 'userOperationsBurst', 'framesBurst'].flatMap((limit) => [
  '--limit',
  `${limit}=1000000000`,
])

export async function serve(data: string): Promise<RelayUnderTest> {
  const running = start('serve', '--port', '0', '--data', data, ...FULL_SPEED)
  const { stdout } = running.child
  if (stdout === null) throw new Error('no output')
  const lines = createInterface({ input: stdout })
  const line = await Promise.race([
    once(lines, 'line').then(([text]) => String(text)),
    running.ended.then(({ errors }) => errors),
  ])
  const url = /^Tidemark relay on (http:\/\/\S+)$/.exec(line)?.[1]
  if (url === undefined) throw new Error(`not a start: ${line}`)
  return {
    ...running,
    url,
    async stop() {
      running.child.kill('SIGTERM')
      const { code, errors } = await running.ended
      if (code !== 0) throw new Error(`it ended with ${code}: ${errors}`)
    },
  }
}

export function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-operate-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
