import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { readSyncMessage, writeSyncStep1, writeSyncStep2, writeUpdate } from 'y-protocols/sync'
import * as Y from 'yjs'
import type { TestRelay } from '../test-relay.test-support.js'
import type { AwarenessState } from './awareness.js'

/** A stock Yjs document on a link to the relay, as y-websocket makes it; and what a bad one may do. */
export interface StockConnection {
  readonly doc: Y.Doc
  /** Of a client's document; one that has `doc` sends what is written into it. */
  sendBytes(frame: Uint8Array): void
  sendUpdate(update: Uint8Array): void
  /** Says what it is about, and whom else it knows. */
  sendAwareness(...states: readonly AwarenessState[]): void
  sync(): void
  disconnect(): void
  /** Sync messages that came, by their type: 0 step 1, 1 step 2, 2 update. */
  readonly syncMessages: readonly number[]
  /** What came of awareness, the latest of each client id. */
  readonly awareness: ReadonlyMap<number, AwarenessState>
  /** Awareness frames that came, empty ones as well. */
  readonly awarenessFrames: number
  readonly closed: { readonly code: number; readonly reason: string } | undefined
  readonly isPaused: boolean
  bufferedBytes: number
}

export interface StockOptions {
  readonly path?: string
  readonly user?: string | undefined
  readonly token?: string
  readonly doc?: Y.Doc
  /** Whether it answers and applies what it is told. Default true. */
  readonly isHonest?: boolean
}

const STOCK_PATH = '/yjs/team/cards/one'

export function connectStock(
  { relay }: Pick<TestRelay, 'relay'>,
  options: StockOptions = {},
): StockConnection {
  const { path = STOCK_PATH, token = '', doc = new Y.Doc(), isHonest = true } = options
  // Said to be undefined, it doesn't say who it is.
  const user = 'user' in options ? options.user : 'bo'
  const syncMessages: number[] = []
  const awareness = new Map<number, AwarenessState>()
  let awarenessFrames = 0
  let closed: StockConnection['closed']
  let isPaused = false

  function receive(frame: Uint8Array): void {
    const decoder = decoding.createDecoder(frame)
    if (decoding.readVarUint(decoder) === 1) {
      readAwareness(decoding.readVarUint8Array(decoder))
      return
    }
    syncMessages.push(decoding.peekVarUint(decoder))
    if (!isHonest) return
    const answer = encoding.createEncoder()
    encoding.writeVarUint(answer, 0)
    readSyncMessage(decoder, answer, doc, connection)
    if (encoding.length(answer) > 1) session.receive(encoding.toUint8Array(answer))
  }

  function readAwareness(bytes: Uint8Array): void {
    awarenessFrames += 1
    const decoder = decoding.createDecoder(bytes)
    for (let left = decoding.readVarUint(decoder); left > 0; left--) {
      const client = decoding.readVarUint(decoder)
      const clock = decoding.readVarUint(decoder)
      awareness.set(client, { client, clock, json: decoding.readVarString(decoder) })
    }
  }

  const link = {
    bufferedBytes: 0,
    send: receive,
    close(code: number, reason: string) {
      closed = { code, reason }
    },
    pause() {
      isPaused = true
    },
    resume() {
      isPaused = false
    },
  }
  const session = relay.connectYjs(link, { path, user, token })

  function sendSync(write: (encoder: encoding.Encoder) => void): void {
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, 0)
    write(encoder)
    session.receive(encoding.toUint8Array(encoder))
  }

  const connection: StockConnection = {
    doc,
    sendBytes: session.receive,
    sendUpdate: (update) => sendSync((encoder) => writeUpdate(encoder, update)),
    sendAwareness(...states) {
      const body = encoding.createEncoder()
      encoding.writeVarUint(body, states.length)
      for (const { client, clock, json } of states) {
        encoding.writeVarUint(body, client)
        encoding.writeVarUint(body, clock)
        encoding.writeVarString(body, json)
      }
      const encoder = encoding.createEncoder()
      encoding.writeVarUint(encoder, 1)
      encoding.writeVarUint8Array(encoder, encoding.toUint8Array(body))
      session.receive(encoding.toUint8Array(encoder))
    },
    sync: () => sendSync((encoder) => writeSyncStep1(encoder, doc)),
    disconnect: () => session.closed(),
    syncMessages,
    awareness,
    get awarenessFrames() {
      return awarenessFrames
    },
    get closed() {
      return closed
    },
    get isPaused() {
      return isPaused
    },
    get bufferedBytes() {
      return link.bufferedBytes
    },
    set bufferedBytes(bytes) {
      link.bufferedBytes = bytes
    },
  }
  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin !== connection && closed === undefined) connection.sendUpdate(update)
  })
  return connection
}

/** The second half of a handshake, of a document that nobody asked. */
export function step2Of(doc: Y.Doc): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, 0)
  writeSyncStep2(encoder, doc)
  return encoding.toUint8Array(encoder)
}
