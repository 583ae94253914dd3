import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { v7 as uuidv7 } from 'uuid'
import { RelayStartError } from '../errors.js'
import { createInspector } from '../inspector/index.js'
import { type Log, silentLog } from '../log.js'
import {
  checkedLimits,
  createNotices,
  createRelay,
  type Limits,
  type Relay,
  type RelayOptions,
} from '../relay/index.js'
import {
  createMemoryDisk,
  createMemoryStorage,
  openSqliteStorage,
  type RelayStorage,
} from '../storage/index.js'
import { RELAY_VERSION } from '../version.js'
import { createApp } from './app.js'
import { createClientAddresses, networkOf } from './client-address.js'
import { createConnectionGate } from './connection-gate.js'
import { isLoopback, isLoopbackHost } from './origin.js'
import { createPrometheus } from './prometheus.js'
import { isDirectoryWithIndex } from './static-files.js'
import { systemClock } from './system-clock.js'
import { attachWebSockets } from './websockets.js'

const DEFAULT_PORT = 8787
const DEFAULT_HOST = '127.0.0.1'
/** Reliability S8, S26. A request has a body at most that is refused. */
const HTTP_OPTIONS = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  keepAliveTimeout: 5_000,
  // How exactly these are kept; every 30 s by default.
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16 * 1024,
}
const MAX_HEADERS = 100
/** Requests that one connection may make; health checks and apps make a few. */
const MAX_REQUESTS_PER_SOCKET = 1_000
/** Node closes sockets above `maxConnections` unread: some room, so that those above a limit of ours get an answer. */
const SPARE_SOCKETS = 1_024
/** Time for clients to answer the close. */
const GOODBYE_MS = 1_000

export interface RelayServerOptions
  extends Pick<RelayOptions, 'authenticate' | 'authorize' | 'schema' | 'limits' | 'log'> {
  /** A data directory, or a storage that the caller closes. Without it nothing survives the process. */
  readonly data?: string | RelayStorage
  /** 0 for any free port. Default 8787. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** A directory with an `index.html` to serve beside the relay. */
  readonly publicDirectory?: string
  /** Origins of pages that may connect, such as `https://app.example`, besides the relay's own. Default: pages on this machine. */
  readonly origins?: readonly string[] | undefined
  /** Addresses or networks of reverse proxies whose `X-Forwarded-For` is believed. Default: none. */
  readonly trustProxy?: readonly string[] | undefined
  /** Who shows it as a bearer token may read `/metrics`. Without it only programs of this machine may. */
  readonly metricsToken?: string | undefined
}

export interface RelayServer extends Pick<Relay, 'revoke'> {
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
  const limits = limitsOf(options.limits)
  const addresses = createClientAddresses(options.trustProxy ?? [])
  const { storage, release } = openStorage(data, log)
  const prometheus = createPrometheus()
  const relay = createRelay({
    storage,
    clock: systemClock,
    randomId: randomUUID,
    operationId: () => uuidv7(),
    limits,
    log,
    metrics: prometheus.metrics,
    authenticate,
    authorize: options.authorize,
    schema: options.schema,
  })
  const notices = createNotices({ clock: systemClock, log, metrics: prometheus.metrics })
  const inspector = createInspector({
    relay,
    storage,
    data: typeof data === 'string' ? data : undefined,
    limits,
    version: RELAY_VERSION,
    now: systemClock.now,
    log,
    isTrusted: authenticate === undefined ? isLoopbackHost : undefined,
    addressOf: (context) => getConnInfo(context).remote.address,
  })
  const gate = createConnectionGate(limits, (limit, address) =>
    notices.limitHit(limit, { remoteAddress: address }),
  )
  prometheus.observe({
    stats: relay.stats,
    ready: relay.ready,
    totals: storage.totals,
    handshakes: () => gate.waiting,
  })
  const metrics = { prometheus, token: options.metricsToken }
  const app = createApp({ relay, publicDirectory, metrics, inspector, log })
  const server = createServer(HTTP_OPTIONS, getRequestListener(app.fetch))
  server.maxHeadersCount = MAX_HEADERS
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_SOCKET
  server.maxConnections = limits.maxConnections + limits.maxHandshakes + SPARE_SOCKETS
  server.on('connection', (socket) => gate.accept(socket, networkOf(socket.remoteAddress)))
  const websockets = attachWebSockets({
    authenticated: authenticate !== undefined,
    origins: options.origins,
    server,
    relay,
    clock: systemClock,
    limits,
    log,
    addresses,
    gate,
  })
  try {
    await listen(server, port, host)
  } catch (error) {
    websockets.terminate()
    prometheus.close()
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
    prometheus.close()
    await release()
    log.info({ url }, 'stopped')
  }

  return {
    url,
    port: address.port,
    revoke: relay.revoke,
    close() {
      closing ??= close()
      return closing
    },
  }
}

/** @throws RelayStartError `limit-invalid` */
function limitsOf(configured: Partial<Limits> | undefined): Limits {
  try {
    return checkedLimits(configured)
  } catch (error) {
    if (error instanceof RangeError) throw new RelayStartError('limit-invalid', error.message)
    throw error
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
    const storage = openSqliteStorage({ directory: data, log })
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
