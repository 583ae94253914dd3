import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { RelayStartError } from '../errors.js'
import { type Log, silentLog } from '../log.js'
import { type Authenticate, createRelay, DEFAULT_LIMITS, type Limits } from '../relay/index.js'
import {
  createMemoryDisk,
  createMemoryStorage,
  openSqliteStorage,
  type RelayStorage,
} from '../storage/index.js'
import { createApp } from './app.js'
import { isLoopback } from './origin.js'
import { isDirectoryWithIndex } from './static-files.js'
import { systemClock } from './system-clock.js'
import { attachWebSockets } from './websockets.js'

const DEFAULT_PORT = 8787
const DEFAULT_HOST = '127.0.0.1'
/** Reliability S8, S26. */
const HEADERS_TIMEOUT_MS = 10_000
const MAX_HEADER_BYTES = 16 * 1024
/** Time for clients to answer the close. */
const GOODBYE_MS = 1_000

export interface RelayServerOptions {
  /** A data directory, or a storage that the caller closes. Without it nothing survives the process. */
  readonly data?: string | RelayStorage
  /** 0 for any free port. Default 8787. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** A directory with an `index.html` to serve beside the relay. */
  readonly publicDirectory?: string
  readonly authenticate?: Authenticate
  readonly limits?: Partial<Limits>
  readonly log?: Log
}

export interface RelayServer {
  /** Of the HTTP side; clients connect to the same address with `ws:`. */
  readonly url: string
  readonly port: number
  /** Takes no new work, answers what was received, closes every connection so that clients come back, and the database. */
  close(): Promise<void>
}

/**
 * Starts a relay with its HTTP server.
 *
 * @throws RelayStartError
 */
export async function createRelayServer(options: RelayServerOptions = {}): Promise<RelayServer> {
  const { data, port = DEFAULT_PORT, host = DEFAULT_HOST, authenticate, log = silentLog } = options
  if (authenticate === undefined && !isLoopback(host)) {
    throw new RelayStartError(
      'host-not-loopback',
      `Without authentication everybody who reaches ${host} could read and write everything. Configure ` +
        'authentication, or listen on 127.0.0.1 and put a proxy that authenticates in front.',
    )
  }
  const publicDirectory = findPublicDirectory(options.publicDirectory)
  const { storage, release } = openStorage(data, log)
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const relay = createRelay({
    storage,
    clock: systemClock,
    randomId: randomUUID,
    limits,
    log,
    ...(authenticate === undefined ? {} : { authenticate }),
  })
  const app = createApp({ relay, publicDirectory })
  const server = createServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, maxHeaderSize: MAX_HEADER_BYTES },
    getRequestListener(app.fetch),
  )
  const websockets = attachWebSockets({
    authenticated: authenticate !== undefined,
    server,
    relay,
    clock: systemClock,
    limits,
    log,
  })
  try {
    await listen(server, port, host)
  } catch (error) {
    websockets.terminate()
    await relay.stop()
    await release()
    throw error
  }
  const address = server.address() as AddressInfo
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
  log.info({ url }, 'listening')

  let closing: Promise<void> | undefined
  async function close(): Promise<void> {
    await relay.stop()
    const closed = new Promise<void>((done) => server.close(() => done()))
    server.closeIdleConnections()
    const cancel = systemClock.schedule(() => {
      websockets.terminate()
      server.closeAllConnections()
    }, GOODBYE_MS)
    await closed
    cancel()
    websockets.terminate()
    await release()
    log.info({ url }, 'stopped')
  }

  return {
    url,
    port: address.port,
    close() {
      closing ??= close()
      return closing
    },
  }
}

function findPublicDirectory(directory: string | undefined): string | undefined {
  if (directory === undefined) return undefined
  const absolute = resolve(directory)
  if (isDirectoryWithIndex(absolute)) return absolute
  throw new RelayStartError(
    'public-missing',
    `${absolute} has no index.html. Build the app first, or name the directory that holds it.`,
  )
}

function openStorage(
  data: string | RelayStorage | undefined,
  log: Log,
): { readonly storage: RelayStorage; release(): Promise<void> } {
  if (typeof data === 'string') {
    const storage = openSqliteStorage({ directory: data })
    return { storage, release: () => storage.close() }
  }
  if (data !== undefined) return { storage: data, release: async () => {} }
  log.warn({}, 'no data directory: everything is kept in memory and gone after a stop')
  const storage = createMemoryStorage({ disk: createMemoryDisk(randomUUID(), systemClock.now()) })
  return { storage, release: () => storage.close() }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => fail(explain(error, port, host)))
    server.listen(port, host, done)
  })
}

function explain(error: NodeJS.ErrnoException, port: number, host: string): RelayStartError {
  if (error.code === 'EADDRINUSE') {
    return new RelayStartError(
      'address-in-use',
      `Something else listens on ${host}:${port} already. Stop it, or choose another port (0 takes a free one).`,
      { cause: error },
    )
  }
  return new RelayStartError(
    'address-unusable',
    `Can't listen on ${host}:${port} (${error.message}). Choose an address of this machine and a port that this user may use.`,
    { cause: error },
  )
}
