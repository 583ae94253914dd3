import type { RelayConnection, RelaySession, YjsRequest } from '@tidemark/server'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { messageYjsSyncStep2, readSyncMessage, writeSyncStep1, writeUpdate } from 'y-protocols/sync'
import * as Y from 'yjs'
import { CALM, createNetwork, type Network } from './network.js'
import type { SeededRandom } from './random.js'
import type { RelayHost } from './relay-host.js'
import type { Scheduler } from './scheduler.js'

/** A page with a stock Yjs document, its provider and its database: what y-websocket and y-indexeddb do, on virtual time. */
export interface StockClient {
  readonly doc: Y.Doc
  readonly network: Network
  /** Everything that the relay has was received since the connection was made. */
  readonly isSynced: boolean
  /** How the relay turned it away for good. */
  readonly refused: { readonly code: number; readonly reason: string } | undefined
  online: boolean
  /** Another page load: the same content under another client id. */
  reload(): void
}

export interface StockClientOptions {
  readonly scheduler: Scheduler
  readonly random: SeededRandom
  readonly relay: RelayHost
  readonly request: YjsRequest
  /** Called with each update that the relay sent, before it is applied. */
  readonly onUpdate?: (update: Uint8Array) => void
}

const SYNC = 0
const RECONNECT_MS = 200
/** Of y-websocket: a connection on which nothing was heard for so long is given up, and how often it looks. */
const SILENCE_MS = 30_000
const WATCH_MS = 3_000

export function createStockClient(options: StockClientOptions): StockClient {
  const { scheduler, random, relay, request, onUpdate } = options
  const network = createNetwork(scheduler, random.fork(), () => {
    const running = relay.relay
    return (
      running &&
      ((connection: RelayConnection): RelaySession => running.connectYjs(connection, request))
    )
  })
  network.faults = CALM
  let doc = load(new Y.Doc())
  let link: { send(frame: Uint8Array): void; close(): void } | undefined
  let isOpen = false
  let isSynced = false
  let heardAt = 0
  let refused: StockClient['refused']

  function load(loaded: Y.Doc): Y.Doc {
    loaded.clientID = random.below(2 ** 32)
    loaded.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== client && isOpen && loaded === doc)
        sendSync((encoder) => writeUpdate(encoder, update))
    })
    return loaded
  }

  function sendSync(write: (encoder: encoding.Encoder) => void): void {
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, SYNC)
    write(encoder)
    link?.send(encoding.toUint8Array(encoder))
  }

  function connect(): void {
    const transport = network.transport(() => client.online)
    const own = transport.connect('ws://relay', {
      onOpen() {
        isOpen = true
        heardAt = scheduler.now
        sendSync((encoder) => writeSyncStep1(encoder, doc))
      },
      onMessage: (frame) => own === link && receive(frame),
      onClose({ code, reason }) {
        if (own !== link) return
        drop()
        if (code >= 4400 && code < 4500) refused = { code, reason }
        else scheduler.after(RECONNECT_MS, connect)
      },
    })
    link = own
  }

  function drop(): void {
    link = undefined
    isOpen = false
    isSynced = false
  }

  function watch(): void {
    if (isOpen && scheduler.now - heardAt > SILENCE_MS) {
      link?.close()
      drop()
      connect()
    }
    scheduler.after(WATCH_MS, watch)
  }

  function receive(frame: Uint8Array): void {
    heardAt = scheduler.now
    const decoder = decoding.createDecoder(frame)
    if (decoding.readVarUint(decoder) !== SYNC) return
    peek(decoder)
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, SYNC)
    const type = readSyncMessage(decoder, encoder, doc, client)
    if (type === messageYjsSyncStep2) isSynced = true
    if (encoding.length(encoder) > 1) link?.send(encoding.toUint8Array(encoder))
  }

  function peek({ arr, pos }: decoding.Decoder): void {
    const decoder = decoding.createDecoder(arr.subarray(pos))
    const isUpdate = decoding.readVarUint(decoder) !== 0
    if (isUpdate) onUpdate?.(decoding.readVarUint8Array(decoder))
  }

  const client: StockClient = {
    online: true,
    network,
    get doc() {
      return doc
    },
    get isSynced() {
      return isSynced
    },
    get refused() {
      return refused
    },
    reload() {
      const stored = Y.encodeStateAsUpdate(doc)
      link?.close()
      drop()
      refused = undefined
      const loaded = new Y.Doc()
      Y.applyUpdate(loaded, stored)
      doc = load(loaded)
      connect()
    },
  }
  connect()
  watch()
  return client
}
