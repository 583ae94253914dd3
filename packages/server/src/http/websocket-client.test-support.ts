import {
  type ClientMessage,
  decodeRelayMessage,
  encodeClientMessage,
  PROTOCOL_VERSION,
  type RelayMessage,
  SUBPROTOCOL,
} from '@tidemark/core/protocol'
import { type ClientOptions, WebSocket } from 'ws'

/** A client on a real websocket. */
export interface WebSocketClient {
  readonly socket: WebSocket
  send(message: ClientMessage): void
  /** The next message of that type that has not been taken yet. */
  next<T extends RelayMessage['type']>(
    type: T,
  ): Promise<Extract<RelayMessage, { readonly type: T }>>
  readonly received: readonly RelayMessage[]
  /** How the connection ended; 1006 when it was lost. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
}

/** @param url of the relay's HTTP side */
export async function connectWebSocket(
  url: string,
  options: ClientOptions & { readonly path?: string } = {},
): Promise<WebSocketClient> {
  const socket = new WebSocket(
    url.replace('http', 'ws') + (options.path ?? '/'),
    [SUBPROTOCOL],
    options,
  )
  const received: RelayMessage[] = []
  const waiting: (() => void)[] = []
  let taken = 0

  const closed = new Promise<{ readonly code: number; readonly reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      resolve({ code, reason: String(reason) })
      for (const wake of waiting.splice(0)) wake()
    })
  })
  socket.on('message', (data: Buffer) => {
    received.push(decodeRelayMessage(new Uint8Array(data)))
    for (const wake of waiting.splice(0)) wake()
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => {})

  return {
    socket,
    received,
    closed,
    send: (message) => socket.send(encodeClientMessage(message)),
    async next(type) {
      for (;;) {
        const message = received[taken]
        if (message === undefined) {
          if (socket.readyState === WebSocket.CLOSED) throw new Error(`closed before ${type} came`)
          await new Promise<void>((wake) => waiting.push(wake))
          continue
        }
        taken += 1
        if (message.type === type)
          return message as Extract<RelayMessage, { readonly type: typeof type }>
      }
    },
  }
}

export interface Introduction {
  readonly user?: string
  readonly replica?: string
  readonly space?: string
}

/** Says hello, opens the space as channel 1 and subscribes to all of it. */
export async function joinOver(client: WebSocketClient, options: Introduction = {}): Promise<void> {
  const { user = 'ada', replica = 'replica-a', space = 'team' } = options
  client.send({ type: 'hello', protocol: PROTOCOL_VERSION, user, token: '', replica })
  client.send({ type: 'open', channel: 1, space })
  client.send({ type: 'subscribe', channel: 1, since: 0, fresh: false })
  await client.next('caughtUp')
}
