import { existsSync } from 'node:fs'
import { dirname, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { RelayStartError } from '../errors.js'
import { checkConfig } from './check-config.js'
import type { RelayConfig } from './define-config.js'

/** In this order. */
const NAMES = ['tidemark.config.ts', 'tidemark.config.mjs', 'tidemark.config.js']

export interface LoadedConfig {
  readonly config: RelayConfig
  /** Undefined where there is none. */
  readonly file: string | undefined
}

/**
 * Runs the configuration file that was named, or the one that lies in the directory. What it exports as `config` counts, else
 * its default export. Paths in it are seen from the file.
 *
 * @throws RelayStartError `config-missing`, `config-unreadable`, `config-invalid`
 */
export async function loadConfig(
  named: string | undefined,
  directory: string,
): Promise<LoadedConfig> {
  const file =
    named === undefined
      ? NAMES.map((name) => join(directory, name)).find((path) => existsSync(path))
      : resolve(directory, named)
  if (file === undefined) return { config: {}, file }
  if (!existsSync(file)) {
    throw new RelayStartError(
      'config-missing',
      `There is no ${file}. Name another file, or leave --config out.`,
    )
  }
  const exported = await run(file)
  try {
    const config = checkConfig(exported)
    const seenFrom = (path: string): string => resolve(dirname(file), path)
    return {
      file,
      config: {
        ...config,
        ...(config.data === undefined ? {} : { data: seenFrom(config.data) }),
        ...(config.public === undefined ? {} : { public: seenFrom(config.public) }),
      },
    }
  } catch (error) {
    if (!(error instanceof RelayStartError)) throw error
    throw new RelayStartError(error.code, `${file}: ${error.message} Correct it and start again.`, {
      cause: error,
    })
  }
}

async function run(file: string): Promise<unknown> {
  let module: unknown
  try {
    module = await (extname(file) === '.ts'
      ? importTypeScript(file)
      : import(pathToFileURL(file).href))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new RelayStartError('config-unreadable', `${file} can't be run: ${why}`, { cause })
  }
  const exports = module as Readonly<Record<string, unknown>>
  const exported = exports['config'] ?? exports['default']
  if (exported !== undefined) return exported
  throw new RelayStartError(
    'config-unreadable',
    `${file} exports no configuration. Write \`export const config = defineConfig({ … })\`.`,
  )
}

/** Node 20 runs no TypeScript; loaded only where it is needed. */
async function importTypeScript(file: string): Promise<unknown> {
  const { createJiti } = await import('jiti')
  // Nothing is left behind in a directory that may be read-only, or somebody else's.
  return createJiti(import.meta.url, { fsCache: false }).import(file)
}
