import { decodeContent, viewOf } from '@tidemark/core/entity'
import { createStore } from '@tidemark/core/node'
import { decodeRelayMessage } from '@tidemark/core/protocol'
import * as Y from 'yjs'
import { schema, yItems } from '../items.js'
import { pause } from '../tasks.js'
import type { Dialect } from './dialect.js'
import { dialects } from './dialects.js'
import type { Server } from './fan-out.js'
import { updatesIn } from './hocuspocus.js'
import { framed, openRawSocket, type RawSocket } from './raw-socket.js'
import { joinRoom, settle, waitFor } from './room.js'
import { updatesIn as updatesInYWebsocket } from './y-websocket.js'

export interface Filled extends Server {
  readonly entities: number
}

export interface ColdResult {
  /** Milliseconds until the last byte had come. */
  readonly received: number
  /** Milliseconds until every entity's values could be read. */
  readonly usable: number
}

const ROOM = 'cold'
/** Documents that a connection of Hocuspocus may be joining at a time. */
const JOINING = 100

/** Brings all entities to one room. */
export async function fillOneRoom({ dialect: name, port, entities }: Filled): Promise<void> {
  const dialect = dialects[name]
  const socket = await joinRoom(dialect, port, ROOM, 'filler')
  await settle(dialect, socket, dialect.writer(ROOM, 'filler', entities).base)
}

/** The same with a document of Hocuspocus for each, all of them on one connection. */
export async function fillManyDocuments({ port, entities }: Filled): Promise<void> {
  const socket = await openRawSocket(port, '/')
  await joinMany(socket, entities, () => {})
  const bases = Array.from(
    { length: entities },
    (_, index) => dialects.hocuspocus.writer(documentOf(index), `user-${index}`, 1).base,
  )
  await settle(dialects.hocuspocus, socket, bases.flat())
}

/** A client that has nothing joins the room of Tidemark; values are read out of the pages as the store reads them. */
export async function coldTidemark({ port, entities }: Filled): Promise<ColdResult> {
  const { tidemark } = dialects
  const messages: Buffer[] = []
  const start = performance.now()
  await joinAndKeep(tidemark, port, messages)
  const received = performance.now() - start
  let read = 0
  for (const message of messages.map((bytes) => decodeRelayMessage(bytes))) {
    if (message.type !== 'page') continue
    for (const { bytes } of message.entities) {
      if (viewOf(decodeContent(bytes)).values['title'] !== undefined) read += 1
    }
  }
  requireAll(read, entities)
  return { received, usable: performance.now() - start }
}

/** A store that has nothing joins: until every row can be read. */
export async function coldStore({ port, entities }: Filled): Promise<ColdResult> {
  const start = performance.now()
  const store = createStore({ schema, user: 'reader', space: ROOM, url: `ws://127.0.0.1:${port}` })
  const query = store.items.query()
  await waitFor('rows', (done) => {
    query.subscribe((rows) => {
      if (rows.length === entities) done()
    })
  })
  const usable = performance.now() - start
  await store.close()
  return { received: usable, usable }
}

/** A client that has nothing joins the one document; it may be told that it has everything before it has anything. */
export async function coldDocument({ dialect: name, port, entities }: Filled): Promise<ColdResult> {
  const dialect = dialects[name]
  const read = name === 'hocuspocus' ? updatesIn : updatesInYWebsocket
  const doc = new Y.Doc()
  const start = performance.now()
  const socket = await openRawSocket(port, dialect.path(ROOM))
  let received = 0
  await waitFor('entities', (done, fail) => {
    socket.onClose = fail
    socket.onMessage = (bytes, from, end) => {
      received = performance.now() - start
      for (const update of read(bytes.subarray(from, end))) Y.applyUpdate(doc, update)
      if (yItems(doc).size === entities) done()
    }
    for (const message of dialect.join(ROOM, 'reader')) socket.write(framed(message))
  })
  return { received, usable: performance.now() - start }
}

/** The same with a document for each. */
export async function coldManyDocuments({ port, entities }: Filled): Promise<ColdResult> {
  const updates: Uint8Array[] = []
  const start = performance.now()
  const socket = await openRawSocket(port, '/')
  await joinMany(socket, entities, (bytes) => {
    for (const update of updatesIn(bytes)) if (update.length > 2) updates.push(update.slice())
  })
  const received = performance.now() - start
  let read = 0
  for (const update of updates) {
    const doc = new Y.Doc()
    Y.applyUpdate(doc, update)
    for (const item of yItems(doc).values()) if (item.get('title') !== undefined) read += 1
  }
  requireAll(read, entities)
  return { received, usable: performance.now() - start }
}

/** The titles that a room has, once nothing has come for a second. */
export async function titles({
  dialect: name,
  port,
  room,
}: Server & { readonly room: string }): Promise<Readonly<Record<string, string>>> {
  const dialect = dialects[name]
  const messages: Buffer[] = []
  const socket = await joinAndKeep(dialect, port, messages, room)
  for (let before = -1; before < messages.length; await pause(1_000)) before = messages.length
  socket.destroy()
  return Object.fromEntries(dialect.marksIn(messages))
}

async function joinAndKeep(
  dialect: Dialect,
  port: number,
  messages: Buffer[],
  room = ROOM,
): Promise<RawSocket> {
  const socket = await openRawSocket(port, dialect.path(room), dialect.subprotocol)
  await waitFor(`everything of ${room}`, (done, fail) => {
    socket.onClose = fail
    socket.onMessage = (bytes, start, end) => {
      messages.push(Buffer.from(bytes.subarray(start, end)))
      if (dialect.isJoined(bytes, start, end)) done()
    }
    for (const message of dialect.join(room, 'reader')) socket.write(framed(message))
  })
  return socket
}

async function joinMany(
  socket: RawSocket,
  count: number,
  keep: (bytes: Buffer) => void,
): Promise<void> {
  const { hocuspocus } = dialects
  let asked = 0
  let joined = 0
  await waitFor('documents', (done, fail) => {
    const ask = (): void => {
      const until = Math.min(count, joined + JOINING)
      const frames: Buffer[] = []
      for (; asked < until; asked++) {
        for (const message of hocuspocus.join(documentOf(asked), 'reader'))
          frames.push(framed(message))
      }
      if (frames.length > 0) socket.write(Buffer.concat(frames))
    }
    socket.onClose = fail
    socket.onMessage = (bytes, start, end) => {
      if (!hocuspocus.isJoined(bytes, start, end)) return
      keep(bytes.subarray(start, end))
      joined += 1
      if (joined === count) done()
      else ask()
    }
    ask()
  })
}

function documentOf(index: number): string {
  return `cold-${index}`
}

function requireAll(read: number, entities: number): void {
  if (read !== entities) throw new Error(`${read} of ${entities} entities have come.`)
}
