import { endProcess, type OwnedProcess, spawnOwned } from '../support/owned-process.js'
import { inRepository } from '../support/repository.js'
import type { NodePrograms } from './programs/node.js'

type Argument<Name extends keyof NodePrograms> = Parameters<NodePrograms[Name]>[0]
type Result<Name extends keyof NodePrograms> = Awaited<ReturnType<NodePrograms[Name]>>

/** Runs a program in a Node process of its own, on the packages as they are built. */
export async function inNode<Name extends keyof NodePrograms>(
  name: Name,
  argument: Argument<Name>,
): Promise<Result<Name>> {
  const child = startNode('node.ts', name, JSON.stringify(argument))
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await succeeded(child, name)
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Result<Name>
}

/** Starts a program that goes on until it is stopped; resolves when it has printed something. */
export async function startInNode(
  file: string,
  ...args: readonly string[]
): Promise<() => Promise<void>> {
  const child = startNode(file, ...args)
  const failed = succeeded(child, file).then(() => {
    throw new Error(`${file} ended by itself.`)
  })
  await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), failed])
  failed.catch(() => undefined)
  return () => endProcess(child, 'SIGKILL')
}

function startNode(file: string, ...args: readonly string[]): OwnedProcess {
  const script = inRepository(`test/bench/programs/${file}`)
  // Without `--conditions=@tidemark/source`, and with tsx for nothing but the programs themselves.
  return spawnOwned(process.execPath, ['--import', import.meta.resolve('tsx'), script, ...args])
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
