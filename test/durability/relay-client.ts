import {
  type ClientMessage,
  decodeRelayMessage,
  type EntityState,
  encodeClientMessage,
  PROTOCOL_VERSION,
  type RelayMessage,
  SUBPROTOCOL,
} from '@tidemark/core/protocol'
import { WebSocket } from 'ws'
import type { Held, Ledger } from './ledger.js'
import { type PairWrite, REPLICA, USER, valueIn } from './operations.js'

export const SPACE = 'team'
const CHANNEL = 1
/** Long enough for a relay that is traced, on a machine that is busy with other things. */
const ANSWER_DEADLINE_MS = 30_000

export type Answer = Extract<RelayMessage, { readonly type: 'ack' | 'reject' }>

/** The only writer's connection. Everything that the relay promises on it goes into the ledger. */
export interface RelayClient {
  /** Sends them all, in one go. Resolves with their answers, or undefined once the connection is gone. */
  push(...writes: readonly PairWrite[]): Promise<readonly (Answer | undefined)[]>
  /** What the relay holds of what was sent; undefined when the connection broke. */
  read(): Promise<Held | undefined>
  readonly isOpen: boolean
  close(): void
}

/** Resolves with undefined when nobody answers there. */
export async function connectToRelay(
  url: string,
  ledger: Ledger,
): Promise<RelayClient | undefined> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/`, [SUBPROTOCOL])
  const waiting = new Map<string, (message: RelayMessage | undefined) => void>()
  const pages: EntityState[] = []
  let isOpen = true

  const send = (message: ClientMessage): void => socket.send(encodeClientMessage(message))

  /** One of them at a time. */
  function answerTo<T extends RelayMessage>(key: string): Promise<T | undefined> {
    if (!isOpen) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(
        () => reject(new Error(`the relay does not answer: ${key}`)),
        ANSWER_DEADLINE_MS,
      )
      waiting.set(key, (message) => {
        clearTimeout(deadline)
        resolve(message as T | undefined)
      })
    })
  }

  socket.on('message', (data: Buffer) => {
    const message = decodeRelayMessage(new Uint8Array(data))
    if (message.type === 'ack') ledger.promise(message)
    if (message.type === 'fates') for (const fate of message.fates) ledger.promise(fate)
    if (message.type === 'page') pages.push(...message.entities)
    const key = 'id' in message ? message.id : message.type
    waiting.get(key)?.(message)
    waiting.delete(key)
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    isOpen = false
    for (const resolve of waiting.values()) resolve(undefined)
    waiting.clear()
  })
  await new Promise<void>((resolve) => {
    socket.once('open', resolve)
    socket.once('close', resolve)
  })
  if (!isOpen) return undefined
  const welcome = answerTo('welcome')
  send({ type: 'hello', protocol: PROTOCOL_VERSION, user: USER, token: '', replica: REPLICA })
  send({ type: 'open', channel: CHANNEL, space: SPACE })
  if ((await welcome) === undefined) return undefined

  return {
    async push(...writes) {
      const answers = writes.map(({ operation }) => answerTo<Answer>(operation.id))
      for (const { operation } of writes) send({ type: 'push', channel: CHANNEL, operation })
      return Promise.all(answers)
    },
    async read() {
      const told = answerTo<Extract<RelayMessage, { type: 'fates' }>>('fates')
      const ids = ledger.sent.map(({ operation }) => operation.id)
      send({ type: 'fates', channel: CHANNEL, ids })
      const fates = await told
      const caughtUp = answerTo<Extract<RelayMessage, { type: 'caughtUp' }>>('caughtUp')
      send({ type: 'subscribe', channel: CHANNEL, since: 0, fresh: true })
      const head = await caughtUp
      if (fates === undefined || head === undefined) return undefined
      const values = new Map(pages.map(({ id, bytes }) => [id, valueIn([bytes])]))
      return { head: head.sequence, fates: fates.fates, values }
    },
    get isOpen() {
      return isOpen
    },
    close: () => socket.terminate(),
  }
}
