import { createStore } from '@tidemark/core/node'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { type ItemStore, idOf, insertItem, insertYItem, schema, yItems } from './items.js'
import { pause } from './tasks.js'

export interface Place {
  /** The relay's websocket address. */
  readonly url: string
  /** The space or room; one that nobody has used. */
  readonly space: string
}

export interface Edits extends Place {
  /** How many are measured. */
  readonly count: number
}

/** Entities that each writer makes and edits. */
const ITEMS = 100
const WARM_UP = 50

/** Milliseconds from a call of `update` until the operation counts as synced, one edit after the other. */
export async function editToAck({ count, ...place }: Edits): Promise<readonly number[]> {
  const author = await openItems(place, 'author')
  return measureEdits(count, (id, title) => edit(author, id, title).when('synced'))
}

/** Milliseconds from an edit in one store until a watcher of another store of this process has it. */
export async function editToSeen({ count, ...place }: Edits): Promise<readonly number[]> {
  const author = await openItems(place, 'author')
  const reader = await join(place, 'reader')
  return measureEdits(count, async (id, title) => {
    const seen = new Promise<void>((resolve) => {
      const stop = reader.items.watch(id).subscribe((row) => {
        if (row?.title !== title) return
        stop()
        resolve()
      })
    })
    edit(author, id, title)
    await seen
  })
}

/** The same with two documents on one room of y-websocket, nested map to nested map. */
export async function editToSeenByYWebsocket({
  count,
  url,
  space,
}: Edits): Promise<readonly number[]> {
  const author = await joinRoom(url, space)
  for (let index = 0; index < ITEMS; index++) insertYItem(yItems(author), index)
  const reader = await joinRoom(url, space)
  while (yItems(reader).size < ITEMS) await pause(5)
  return measureEdits(count, async (id, title) => {
    const item = yItems(reader).get(id)
    const seen = new Promise<void>((resolve) => {
      item?.observe(function look() {
        if (item.get('title') !== title) return
        item.unobserve(look)
        resolve()
      })
    })
    yItems(author).get(id)?.set('title', title)
    await seen
  })
}

/** Edits entities of its own in the space until the process is ended; prints a line once it has begun. */
export async function writeSteadily({
  perSecond,
  ...place
}: Place & { readonly perSecond: number }): Promise<void> {
  const store = await openItems(place, 'somebody', ITEMS)
  console.log('writing')
  for (let index = 0; ; index++) {
    edit(store, idOf(ITEMS + (index % ITEMS)), `edit ${index} from elsewhere`)
    await pause(1_000 / perSecond)
  }
}

/** Times edits one after the other, with breaks of irregular length between them. */
async function measureEdits(
  count: number,
  perform: (id: string, title: string) => Promise<void>,
): Promise<readonly number[]> {
  const times: number[] = []
  for (let index = -WARM_UP; index < count; index++) {
    const start = performance.now()
    await perform(idOf((index + WARM_UP) % ITEMS), `edit ${index}`)
    if (index >= 0) times.push(performance.now() - start)
    await pause(1 + (((index + WARM_UP) * 3) % 7))
  }
  return times
}

function edit(store: ItemStore, id: string, title: string): ReturnType<typeof insertItem> {
  return store.items.update(id, (draft) => {
    draft.title = title
  })
}

/** A store with entities that it has just brought to the relay. */
async function openItems({ url, space }: Place, user: string, from = 0): Promise<ItemStore> {
  const store = createStore({ schema, user, url, space })
  await store.ready
  for (let index = from; index < from + ITEMS; index++) insertItem(store, index)
  while (store.operations.list().length > 0) await pause(5)
  return store
}

/** A store on a space that somebody else has filled. */
async function join({ url, space }: Place, user: string): Promise<ItemStore> {
  const store = createStore({ schema, user, url, space })
  await store.ready
  while (store.items.query().current.length < ITEMS) await pause(5)
  return store
}

async function joinRoom(url: string, room: string): Promise<Y.Doc> {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(url, room, doc, {
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    // Or the two would speak to each other past the relay.
    disableBc: true,
  })
  await new Promise<void>((resolve) => provider.once('sync', () => resolve()))
  return doc
}
