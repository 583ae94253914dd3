/**
 * A store in Node: memory storage and a websocket, for scripts, tests and server-side agents.
 * The only folder of core that may import Node or `ws`.
 */
import { randomBytes } from 'node:crypto'
import { WebSocket } from 'ws'
import {
  type Collections,
  createMemoryStorage,
  createStoreOn,
  type Platform,
  type ReplicaStorage,
  type Store,
  type StoreOptions,
  type Transport,
} from '../index.js'
import { SUBPROTOCOL } from '../protocol/index.js'
import { createRandomPool } from './random-pool.js'

export interface NodeStoreOptions<C extends Collections> extends StoreOptions<C> {
  /** Where the replica is kept. Default: in memory, gone with the process. */
  readonly storage?: ReplicaStorage
}

/** A store for one process. */
export function createStore<C extends Collections>({
  storage = createMemoryStorage(),
  ...options
}: NodeStoreOptions<C>): Store<C> {
  return createStoreOn(options, createNodePlatform(), storage)
}

export function createNodePlatform(): Platform {
  return {
    clock: {
      now: () => Date.now(),
      schedule(callback, milliseconds) {
        const timer = setTimeout(callback, milliseconds)
        return () => clearTimeout(timer)
      },
    },
    random: createRandomPool(randomBytes),
    transport: webSocketTransport,
  }
}

const webSocketTransport: Transport = {
  connect(url, handlers) {
    const socket = new WebSocket(url, SUBPROTOCOL, { perMessageDeflate: false })
    socket.binaryType = 'nodebuffer'
    socket.on('open', () => handlers.onOpen())
    socket.on('message', (data: Buffer) => handlers.onMessage(new Uint8Array(data)))
    // An error is always followed by a close.
    socket.on('error', () => undefined)
    socket.on('close', (code, reason) => handlers.onClose({ code, reason: reason.toString() }))
    return {
      send(frame) {
        if (socket.readyState === WebSocket.OPEN) socket.send(frame)
      },
      close(code = 1000, reason = '') {
        if (socket.readyState === WebSocket.CONNECTING) socket.terminate()
        else socket.close(code, reason)
      },
    }
  },
}
