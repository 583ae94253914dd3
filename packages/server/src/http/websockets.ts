import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '@tidemark/core'
import { CLOSE_CODES, SUBPROTOCOL } from '@tidemark/core/protocol'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Log } from '../log.js'
import {
  isYjsPath,
  type Limits,
  type Relay,
  type RelayConnection,
  type RelaySession,
} from '../relay/index.js'
import { createHeartbeat } from './heartbeat.js'
import { isAllowedOrigin, type OriginRules } from './origin.js'
import { createYjsSockets, toYjsRequest } from './yjs-sockets.js'

const PATHS = new Set(['/', '/sync'])
/** Fragments of one message; honest clients send one (reliability S5). */
const MAX_FRAGMENTS = 1024
/** How long the other side may take to answer a close, and what is buffered for it may wait. */
const CLOSE_TIMEOUT_MS = 5_000
/** RFC 6455, 5.5: what is left of a control frame's 125 bytes after the code. */
const MAX_REASON_BYTES = 123

export interface WebSocketsOptions extends OriginRules {
  readonly server: Server
  readonly relay: Relay
  readonly clock: Clock
  readonly limits: Pick<Limits, 'maxFrameBytes' | 'maxEntityBytes'>
  readonly log: Log
}

export interface WebSockets {
  /** Cuts what is still connected. */
  terminate(): void
}

/** Takes websocket upgrades of `server` and connects them to the relay. */
export function attachWebSockets(options: WebSocketsOptions): WebSockets {
  const { server, relay, clock, limits, log } = options
  const heartbeat = createHeartbeat(clock)
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
    const { remoteAddress } = request.socket
    const sockets = isYjs ? yjsSockets : websockets
    sockets.handleUpgrade(request, socket, head, (websocket) => {
      accept(websocket, remoteAddress, (connection) =>
        isYjs ? relay.connectYjs(connection, toYjsRequest(request)) : relay.connect(connection),
      )
    })
  })

  function accept(
    websocket: WebSocket,
    remoteAddress: string | undefined,
    connect: (connection: RelayConnection) => RelaySession,
  ): void {
    const session = connect(toConnection(websocket, clock, remoteAddress))
    heartbeat.watch(websocket)
    websocket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) session.receive(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      else websocket.close(CLOSE_CODES.protocolViolation, 'Frames are binary.')
    })
    websocket.on('error', (error) => log.debug({ err: error, remoteAddress }, 'websocket error'))
    websocket.on('close', () => {
      heartbeat.forget(websocket)
      session.closed()
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
  clock: Clock,
  remoteAddress: string | undefined,
): RelayConnection {
  return {
    remoteAddress,
    get bufferedBytes() {
      return websocket.bufferedAmount
    },
    send(frame) {
      // A failed write shows as an error event and then as a close.
      websocket.send(frame, () => {})
    },
    pause: () => websocket.pause(),
    resume: () => websocket.resume(),
    close(code, reason) {
      websocket.close(code, Buffer.from(reason).subarray(0, MAX_REASON_BYTES).toString())
      const cancel = clock.schedule(() => websocket.terminate(), CLOSE_TIMEOUT_MS)
      websocket.once('close', cancel)
    },
  }
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
