import { spawn, spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('..', import.meta.url))

const environment = {
  ...process.env,
  PATH: [join(root, 'node_modules', '.bin'), process.env['PATH']].join(delimiter),
}

const options = {
  cwd: root,
  env: environment,
  // On Windows the commands of node_modules/.bin are .cmd files, which only a shell can start.
  shell: process.platform === 'win32',
} as const

/** Runs a command in the root of the repository, shows its output and returns its exit code. */
export function run(command: string, args: readonly string[]): number {
  const { status, error } = spawnSync(command, args, { ...options, stdio: 'inherit' })
  if (error) throw new Error(`Could not run ${command}: ${error.message}`, { cause: error })
  return status ?? 1
}

/** Runs a command and ends this process with its exit code if it fails. */
export function runOrExit(command: string, args: readonly string[]): void {
  const code = run(command, args)
  if (code !== 0) {
    console.error(`\`${[command, ...args].join(' ')}\` failed with exit code ${code}.`)
    process.exit(code)
  }
}

/** Runs a command and returns what it prints to its standard output; undefined if it fails. */
export function read(command: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { ...options, encoding: 'utf8' })
  return status === 0 ? stdout : undefined
}

/** Starts a command in the root of the repository and leaves it running. */
export function start(command: string, args: readonly string[]): ReturnType<typeof spawn> {
  return spawn(command, args, { ...options, stdio: 'inherit' })
}

/** Runs a pnpm command with the pnpm that called this script. */
export function pnpm(args: readonly string[]): void {
  const cli = process.env['npm_execpath']
  if (cli !== undefined && /pnpm\.[cm]?js$/.test(cli)) runOrExit(process.execPath, [cli, ...args])
  else runOrExit('pnpm', args)
}

/** Compiles the packages and builds the example apps. */
export function build(): void {
  runOrExit('tsc', ['-b'])
  pnpm(['--filter', './examples/*', 'run', 'build'])
}
