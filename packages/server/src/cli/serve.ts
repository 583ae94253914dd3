import { Command, InvalidArgumentError } from 'commander'
import { pino } from 'pino'
import { loadConfig, serverOptions } from '../config/index.js'
import { createRelayServer, type RelayServer } from '../http/index.js'
import type { Limits } from '../relay/index.js'
import { action, examples } from './command.js'
import { print } from './output.js'

/** A stop that takes longer is cut: whatever runs the relay would kill it soon anyway. */
const STOP_DEADLINE_MS = 5_000
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

interface ServeOptions {
  readonly config?: string
  readonly port?: number
  readonly host?: string
  readonly data?: string
  readonly public?: string
  readonly logLevel?: string
  readonly trustProxy?: readonly string[]
  readonly limit?: Partial<Limits>
}

/** `tidemark serve` */
export function serveCommand(): Command {
  return new Command('serve')
    .description('Run the relay.')
    .option(
      '--config <file>',
      'configuration (default: tidemark.config.ts, .mjs or .js, if there is one)',
    )
    .option('--port <number>', 'port to listen on; 0 takes a free one (default: 8787)', toPort)
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--data <directory>', 'where the database is kept (default: ./data)')
    .option('--public <directory>', 'an app to serve beside the relay')
    .option('--log-level <level>', `one of ${LOG_LEVELS.join(', ')} (default: info)`, toLogLevel)
    .option(
      '--trust-proxy <address>',
      'a reverse proxy, or a network of them, whose X-Forwarded-For is believed; may be repeated',
      (value: string, others: readonly string[] = []) => [...others, value],
    )
    .option('--limit <name=number>', 'sets a limit; may be repeated', withLimit)
    .addHelpText(
      'after',
      examples('tidemark serve --data ./data --port 8787', 'tidemark serve --config relay.mjs'),
    )
    .action(action(serve))
}

async function serve({ config: file, limit, ...given }: ServeOptions): Promise<void> {
  const { config } = await loadConfig(file, process.cwd())
  const limits = { ...config.limits, ...limit }
  const merged = { data: './data', ...config, ...given, limits }
  const log = pino({ level: merged.logLevel ?? 'info' }, pino.destination({ fd: 2, sync: true }))
  // Not an option: everybody on a machine can read the options of its programs.
  const { TIDEMARK_METRICS_TOKEN: metricsToken } = process.env
  const server = await createRelayServer({ ...serverOptions(merged, log), metricsToken })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stop(server, signal))
  }
  // Last: whoever reads it may stop it at once.
  print(`Tidemark relay on ${server.url}\n`)

  async function stop(running: RelayServer, signal: string): Promise<void> {
    log.info({ signal }, 'stopping')
    setTimeout(() => {
      log.error({}, 'the stop took too long and was cut; what was acknowledged is on disk')
      process.exit(1)
    }, STOP_DEADLINE_MS).unref()
    try {
      await running.close()
    } catch (error) {
      log.error({ err: error }, 'the stop failed; what was acknowledged is on disk')
      process.exitCode = 1
    }
  }
}

function toPort(value: string): number {
  const port = Number(value)
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port
  throw new InvalidArgumentError('A port is a number from 0 to 65535.')
}

function withLimit(value: string, others: Partial<Limits> = {}): Partial<Limits> {
  const [name = '', number = ''] = value.split('=')
  return { ...others, [name]: number === '' ? Number.NaN : Number(number) }
}

function toLogLevel(value: string): string {
  if (LOG_LEVELS.includes(value)) return value
  throw new InvalidArgumentError(`One of ${LOG_LEVELS.join(', ')}.`)
}
