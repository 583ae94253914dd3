import { readFileSync } from 'node:fs'
import { deserialize, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createMemoryStorage, type MemoryDisk } from '@tidemark/core'
import { createStore } from '@tidemark/core/node'
import * as Y from 'yjs'
import { type Contender, yjs } from './contenders.js'
import { COUNT, fillYDoc, type ItemStore, schema } from './items.js'
import { contenderOf, type PeerName } from './jobs.js'
import { type Overwrites, overwritesOf } from './overwrites.js'
import { inTasks, verify } from './tasks.js'

/** Bytes for each entity. */
export interface Footprint {
  /** On and beside the JavaScript heap. */
  readonly memory: number
  /** The same once every row has been read and is kept by a live query; the same where there are no rows to keep. */
  readonly withRows: number
  /** Stored or sent; null where that is left to others. */
  readonly encoded: number | null
}

export interface KeptDisk {
  readonly file: string
  readonly space: string
}

/** What is loaded stays until it is measured. */
const held: unknown[] = []

/** A store on the disk that was kept in a file. */
export async function footprintOfTidemark({ file, space }: KeptDisk): Promise<Footprint> {
  // Code and hidden classes are no part of an entity.
  await open({ file, space })
  const before = await memoryUsed()
  const { store, count, encoded } = await open({ file, space })
  held.push(store)
  const memory = (await memoryUsed()) - before
  const query = store.items.query()
  query.subscribe(() => undefined)
  held.push(query)
  verify(query.current.length === count, `${query.current.length} rows were read`)
  const withRows = (await memoryUsed()) - before
  return { memory: memory / count, withRows: withRows / count, encoded: encoded / count }
}

async function open({ file, space }: KeptDisk): Promise<{
  readonly store: ItemStore
  readonly count: number
  readonly encoded: number
}> {
  const disk = deserialize(readFileSync(file)) as MemoryDisk
  let count = 0
  let encoded = 0
  for (const { entities } of disk.spaces.values()) {
    for (const { row } of entities.values()) {
      // As they are, they are windows on the whole file.
      Object.assign(row, { bytes: row.bytes.slice() })
      count += 1
      encoded += row.bytes.length
    }
  }
  const store = createStore({
    schema,
    user: 'reader',
    space,
    storage: createMemoryStorage({ disk }),
  })
  await store.ready
  // The disk of a device is no memory.
  disk.spaces.clear()
  return { store, count, encoded }
}

/** A document of Yjs is as it is after loading. The others have nothing to load from: as they are after 10,000 inserts, with the listeners of the job. */
export async function footprintOfPeer(name: PeerName): Promise<Footprint> {
  if (name === 'yjs') return measureYjs(Y.encodeStateAsUpdate(fillYDoc(new Y.Doc())), COUNT)
  const warm = await contenderOf(name)
  for (let index = 0; index < 100; index++) warm.insert(index)
  const before = await memoryUsed()
  const contender = await contenderOf(name)
  await inTasks(COUNT, 100, contender.insert)
  held.push(contender)
  const memory = ((await memoryUsed()) - before) / COUNT
  const encoded = contender.encodedBytes()
  return { memory, withRows: memory, encoded: encoded === undefined ? null : encoded / COUNT }
}

async function measureYjs(update: Uint8Array, count: number): Promise<Footprint> {
  Y.applyUpdate(new Y.Doc(), update)
  held.push(update)
  const before = await memoryUsed()
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  held.push(doc)
  const memory = ((await memoryUsed()) - before) / count
  return { memory, withRows: memory, encoded: update.length / count }
}

/** A peer in whose entities fields were overwritten in no order. */
export async function grownPeer({
  name,
  ...overwrites
}: Overwrites & { readonly name: PeerName }): Promise<Footprint> {
  const { entities } = overwrites
  if (name === 'yjs') {
    const doc = new Y.Doc()
    overwrite(yjs(doc), overwrites)
    return measureYjs(Y.encodeStateAsUpdate(doc), entities)
  }
  const before = await memoryUsed()
  const contender = await contenderOf(name)
  overwrite(contender, overwrites)
  held.push(contender)
  const memory = ((await memoryUsed()) - before) / entities
  const encoded = contender.encodedBytes()
  return { memory, withRows: memory, encoded: encoded === undefined ? null : encoded / entities }
}

function overwrite(contender: Contender, { entities, times }: Overwrites): void {
  for (let index = 0; index < entities; index++) contender.insert(index)
  for (const { index, field, value } of overwritesOf({ entities, times })) {
    contender.set(index, field, value)
  }
}

async function memoryUsed(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // What is only weakly held goes with the second one.
  for (let round = 0; round < 3; round++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
