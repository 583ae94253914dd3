import {
  decodeContent,
  EMPTY_CONTENT,
  type EntityContent,
  formatActor,
  type StorableValue,
  writeRegisters,
} from '@tidemark/core/entity'
import {
  type ClientMessage,
  decodeRelayMessage,
  encodeClientMessage,
  PROTOCOL_VERSION,
  type RelayMessage,
  SUBPROTOCOL,
  type WireOperation,
} from '@tidemark/core/protocol'
import { WebSocket } from 'ws'

/** A client that speaks the protocol frame by frame, without a store. */
export interface WireClient {
  readonly socket: WebSocket
  readonly received: readonly RelayMessage[]
  send(message: ClientMessage): void
  sendBytes(frame: Uint8Array): void
  /** Resolves with the first message that has come or comes and is of that kind. */
  until<T extends RelayMessage['type']>(
    type: T,
    matches?: (message: Extract<RelayMessage, { readonly type: T }>) => boolean,
  ): Promise<Extract<RelayMessage, { readonly type: T }>>
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  readonly isOpen: boolean
}

export interface WireIdentity {
  readonly user: string
  readonly replica: string
}

export async function connectWire(url: string): Promise<WireClient> {
  const socket = new WebSocket(url, SUBPROTOCOL, { perMessageDeflate: false })
  const received: RelayMessage[] = []
  const waiting = new Set<() => void>()
  let ended = false
  const wake = (): void => {
    for (const look of waiting) look()
  }
  const closed = new Promise<{ readonly code: number; readonly reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      ended = true
      resolve({ code, reason: reason.toString() })
      wake()
    })
  })
  socket.on('message', (data: Buffer) => {
    received.push(decodeRelayMessage(new Uint8Array(data)))
    wake()
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => undefined)
  return {
    socket,
    received,
    closed,
    get isOpen() {
      return socket.readyState === WebSocket.OPEN
    },
    send: (message) => socket.send(encodeClientMessage(message)),
    sendBytes: (frame) => socket.send(frame),
    until(type, matches = () => true) {
      type Wanted = Extract<RelayMessage, { readonly type: typeof type }>
      const find = (): Wanted | undefined =>
        received.find(
          (message): message is Wanted => message.type === type && matches(message as Wanted),
        )
      return new Promise((resolve, reject) => {
        const look = (): void => {
          const found = find()
          if (found === undefined && !ended) return
          waiting.delete(look)
          if (found !== undefined) resolve(found)
          else reject(new Error(`closed before ${type} came`))
        }
        waiting.add(look)
        look()
      })
    },
  }
}

/** Connects, says hello, opens the space as channel 1 and reads it from `since` on. */
export async function joinWire(
  url: string,
  identity: WireIdentity,
  space: string,
  since = 0,
): Promise<WireClient> {
  const client = await connectWire(url)
  client.send({ type: 'hello', protocol: PROTOCOL_VERSION, token: '', ...identity })
  client.send({ type: 'open', channel: 1, space })
  client.send({ type: 'subscribe', channel: 1, since, fresh: since === 0 })
  await client.until('caughtUp')
  return client
}

/** Makes operations on entities of its own, one field each. */
export function createWireWriter(
  identity: WireIdentity,
  client: number,
  prefix: string,
): { write(id: string, value: StorableValue): WireOperation } {
  const actor = formatActor({ ...identity, writer: client })
  const contents = new Map<string, EntityContent>()
  let operations = 0
  let time = 1_700_000_000_000_000
  return {
    write(id, value) {
      const content = contents.get(id) ?? EMPTY_CONTENT
      operations += 1
      time += 1
      const sequence = content === EMPTY_CONTENT ? 1 : 2
      const { update, content: written } = writeRegisters(content, client, [
        {
          kind: 'set',
          field: 'title',
          value,
          lastModified: time,
          sequence,
          actor,
          supersedes: content.live.filter(({ field }) => field === 'title'),
        },
      ])
      contents.set(id, written)
      return {
        id: `${prefix}-${operations}`,
        parts: [
          {
            collection: 'cards',
            id,
            kind: content === EMPTY_CONTENT ? 'create' : 'update',
            generation: '0',
            sequence,
            lastModified: time,
            update,
          },
        ],
      }
    },
  }
}

/** What a page of a catch-up tells about an entity. */
export function titleOf(bytes: Uint8Array): unknown {
  return decodeContent(bytes).live.find(({ field }) => field === 'title')?.value
}
