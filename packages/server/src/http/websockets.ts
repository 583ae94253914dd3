import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '@tidemark/core'
import { CLOSE_CODES, SUBPROTOCOL } from '@tidemark/core/protocol'
import { WebSocket, WebSocketServer } from 'ws'
import type { Log } from '../log.js'
import {
  isYjsPath,
  type Limits,
  type Relay,
  type RelayConnection,
  type RelaySession,
} from '../relay/index.js'
import { type ClientAddresses, networkOf } from './client-address.js'
import type { ConnectionGate } from './connection-gate.js'
import { createHeartbeat } from './heartbeat.js'
import { isAllowedOrigin, type OriginRules } from './origin.js'
import { createOutgoing, type Outbox } from './outgoing.js'
import { createYjsSockets, toYjsRequest } from './yjs-sockets.js'

const PATHS = new Set(['/', '/sync'])
/** Fragments of one message; honest clients send one (reliability S5). */
const MAX_FRAGMENTS = 1024
/** How long the other side may take to answer a close, and what is buffered for it may wait. */
const CLOSE_TIMEOUT_MS = 5_000
/** RFC 6455, 5.5: what is left of a control frame's 125 bytes after the code. */
const MAX_REASON_BYTES = 123
/** Browsers don't read it; proxies and programs do. */
const RETRY_AFTER_SECONDS = 5

export interface WebSocketsOptions extends OriginRules {
  readonly server: Server
  readonly relay: Relay
  readonly clock: Clock
  readonly limits: Pick<Limits, 'maxFrameBytes' | 'maxEntityBytes'>
  readonly log: Log
  readonly addresses: ClientAddresses
  readonly gate: ConnectionGate
}

export interface WebSockets {
  /** Cuts what is still connected. */
  terminate(): void
}

/** Takes websocket upgrades of `server` and connects them to the relay. */
export function attachWebSockets(options: WebSocketsOptions): WebSockets {
  const { server, relay, clock, limits, log, addresses, gate } = options
  const heartbeat = createHeartbeat(clock)
  const outgoing = createOutgoing()
  const websockets = new WebSocketServer({
    noServer: true,
    clientTracking: true,
    // Memory for each connection, and a multiplier for attackers (reliability S6).
    perMessageDeflate: false,
    maxPayload: limits.maxFrameBytes,
    maxFragments: MAX_FRAGMENTS,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  })
  const yjsSockets = createYjsSockets(limits)

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    const path = request.url?.split('?', 1)[0] ?? ''
    const isYjs = isYjsPath(path)
    if (!PATHS.has(path) && !isYjs) return refuse(socket, '404 Not Found')
    const { origin, host } = request.headers
    if (!isAllowedOrigin({ origin, host }, options)) {
      log.warn({ origin, host }, 'a page of a foreign origin was refused')
      return refuse(socket, '403 Forbidden')
    }
    const remoteAddress = addresses.of(request)
    const limit = gate.enter(socket, networkOf(remoteAddress))
    if (limit !== undefined) {
      const status =
        limit === 'maxConnections' ? '503 Service Unavailable' : '429 Too Many Requests'
      return refuse(socket, status, `Retry-After: ${RETRY_AFTER_SECONDS}\r\n`)
    }
    const sockets = isYjs ? yjsSockets : websockets
    const welcomed = (): void => gate.welcomed(socket)
    sockets.handleUpgrade(request, socket, head, (websocket) => {
      const outbox = outgoing.open(socket, () => websocket.readyState === WebSocket.OPEN)
      const link = toConnection(websocket, outbox, clock, remoteAddress, welcomed)
      accept(websocket, link, (connection) =>
        isYjs ? relay.connectYjs(connection, toYjsRequest(request)) : relay.connect(connection),
      )
    })
  })

  function accept(
    websocket: WebSocket,
    connection: RelayConnection,
    connect: (connection: RelayConnection) => RelaySession,
  ): void {
    const { remoteAddress } = connection
    const session = connect(connection)
    heartbeat.watch(websocket)
    websocket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) session.receive(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      else websocket.close(CLOSE_CODES.protocolViolation, 'Frames are binary.')
    })
    websocket.on('error', (error) => log.debug({ err: error, remoteAddress }, 'websocket error'))
    websocket.on('close', (code) => {
      heartbeat.forget(websocket)
      session.closed(code)
    })
  }

  return {
    terminate() {
      heartbeat.stop()
      for (const sockets of [websockets, yjsSockets]) {
        for (const websocket of sockets.clients) websocket.terminate()
        sockets.close()
      }
    },
  }
}

function toConnection(
  websocket: WebSocket,
  outbox: Outbox,
  clock: Clock,
  remoteAddress: string | undefined,
  welcomed: () => void,
): RelayConnection {
  return {
    remoteAddress,
    welcomed,
    get bufferedBytes() {
      return websocket.bufferedAmount + outbox.bytes
    },
    // A failed write shows as an error event and then as a close.
    send: (frame) => outbox.push(frame),
    pause: () => websocket.pause(),
    resume: () => websocket.resume(),
    close(code, reason) {
      outbox.flush()
      websocket.close(code, Buffer.from(reason).subarray(0, MAX_REASON_BYTES).toString())
      const cancel = clock.schedule(() => websocket.terminate(), CLOSE_TIMEOUT_MS)
      websocket.once('close', cancel)
    },
  }
}

function refuse(socket: Duplex, status: string, header = ''): void {
  socket.end(`HTTP/1.1 ${status}\r\n${header}Connection: close\r\nContent-Length: 0\r\n\r\n`)
}
