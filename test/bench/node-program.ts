import { endProcess, type OwnedProcess, spawnOwned } from '../support/owned-process.js'
import { inRepository } from '../support/repository.js'
import type { NodePrograms } from './programs/node.js'
import type { LoadPrograms } from './programs/relay/load.js'

type Argument<Name extends keyof NodePrograms> = Parameters<NodePrograms[Name]>[0]
type Result<Name extends keyof NodePrograms> = Awaited<ReturnType<NodePrograms[Name]>>

/** Runs a program in a Node process of its own, on the packages as they are built. */
export async function inNode<Name extends keyof NodePrograms>(
  name: Name,
  argument: Argument<Name>,
): Promise<Result<Name>> {
  return (await resultOf(
    startNode([], 'node.ts', name, JSON.stringify(argument)),
    name,
  )) as Result<Name>
}

/** The same with a program that puts load on a server, on the processor core that servers don't have. */
export async function inLoad<Name extends keyof LoadPrograms>(
  name: Name,
  argument: Parameters<LoadPrograms[Name]>[0],
): Promise<Awaited<ReturnType<LoadPrograms[Name]>>> {
  const child = startNode(onCore(LOAD_CORE), LOAD, name, JSON.stringify(argument))
  return (await resultOf(child, name)) as Awaited<ReturnType<LoadPrograms[Name]>>
}

/** Starts load that goes on until it is stopped; resolves when the program has printed something. */
export function startLoad<Name extends keyof LoadPrograms>(
  name: Name,
  argument: Parameters<LoadPrograms[Name]>[0],
): Promise<() => Promise<void>> {
  return started(startNode(onCore(LOAD_CORE), LOAD, name, JSON.stringify(argument)), name)
}

/** Servers and what puts load on them have a core each: neither takes from the other, and nobody has two. */
export const SERVER_CORE = 0
const LOAD_CORE = 1
const LOAD = 'relay/load.ts'

/** What goes before a command, so that it runs on one core. */
export function onCore(core: number): readonly string[] {
  return ['taskset', '-c', String(core)]
}

/** Starts a program that goes on until it is stopped; resolves when it has printed something. */
export async function startInNode(
  file: string,
  ...args: readonly string[]
): Promise<() => Promise<void>> {
  return started(startNode([], file, ...args), file)
}

async function started(child: OwnedProcess, what: string): Promise<() => Promise<void>> {
  const failed = succeeded(child, what).then(() => {
    throw new Error(`${what} ended by itself.`)
  })
  await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), failed])
  failed.catch(() => undefined)
  return () => endProcess(child, 'SIGKILL')
}

async function resultOf(child: OwnedProcess, name: string): Promise<unknown> {
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await succeeded(child, name)
  return JSON.parse(output.trim().split('\n').at(-1) ?? '')
}

function startNode(
  before: readonly string[],
  file: string,
  ...args: readonly string[]
): OwnedProcess {
  const script = inRepository(`test/bench/programs/${file}`)
  // Without `--conditions=@tidemark/source`, and with tsx for nothing but the programs themselves.
  const node = [process.execPath, '--import', import.meta.resolve('tsx'), script]
  const [program = '', ...rest] = [...before, ...node, ...args]
  return spawnOwned(program, rest)
}

function succeeded(child: OwnedProcess, what: string): Promise<void> {
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${what} ended with code ${code}. It wrote:\n${complaints}`))
    })
  })
}
