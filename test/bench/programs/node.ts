// What benchmarks run in a Node process of its own: `node.ts <program> <argument as JSON>`. The last line that it
// prints is the result as JSON.
import { readFileSync, writeFileSync } from 'node:fs'
import { deserialize, serialize } from 'node:v8'
import { createMemoryDisk, createMemoryStorage, type MemoryDisk } from '@tidemark/core'
import { createStore } from '@tidemark/core/node'
import * as Y from 'yjs'
import { footprintOfPeer, footprintOfTidemark, grownPeer, type KeptDisk } from './footprint.js'
import { COUNT, fillYDoc, type ItemStore, idOf, insertItem, schema } from './items.js'
import { type JobTimes, jobOfPeer, jobOfTidemark } from './jobs.js'
import { editToAck, editToSeen, editToSeenByYWebsocket, writeSteadily } from './latencies.js'
import { type Overwrites, overwritesOf } from './overwrites.js'
import { inTasks, pause } from './tasks.js'
import { typeByUpdate, typeInYjs, typeOpen } from './typing.js'
import {
  insertItems,
  insertYItems,
  type PerTask,
  updateItems,
  updateYItems,
  type WriteTimes,
  warmUp,
  warmUpYjs,
} from './writes.js'

const USER = 'author'
/** Entities that one operation changes, fewer than there are: none is changed twice in one. */
const PER_OPERATION = 50
/** Operations that wait for the relay before the writer waits as well. */
const MAX_WAITING = 64

const programs = {
  /** Makes all items, brings them to a relay, and keeps in a file what a replica then has on its disk. */
  async fill({ url, file }: { readonly url: string; readonly file: string }): Promise<void> {
    const disk = createMemoryDisk()
    const storage = createMemoryStorage({ disk })
    const store = createStore({ schema, user: USER, url, storage })
    await store.ready
    await inTasks(COUNT, 100, (index) => insertItem(store, index))
    await allConfirmed(store)
    await store.close()
    writeFileSync(file, serialize(disk))
  },
  /** The same with fewer items, whose fields are overwritten again and again, each time confirmed by the relay. */
  async grow({
    url,
    file,
    space,
    ...overwrites
  }: Overwrites & KeptDisk & { readonly url: string }): Promise<void> {
    const disk = createMemoryDisk()
    const storage = createMemoryStorage({ disk })
    const store = createStore({ schema, user: USER, url, space, storage })
    await store.ready
    for (let index = 0; index < overwrites.entities; index++) insertItem(store, index)
    const writes = [...overwritesOf(overwrites)]
    for (let from = 0; from < writes.length; from += PER_OPERATION) {
      // Each entity has an update of its own in it; a single operation for each would only take longer.
      store.transact(({ items }) => {
        for (const { index, field, value } of writes.slice(from, from + PER_OPERATION)) {
          items.update(idOf(index), (draft) => {
            Object.assign(draft, { [field]: value })
          })
        }
      })
      if (store.operations.list().length > MAX_WAITING) await allConfirmed(store)
    }
    await allConfirmed(store)
    await store.close()
    writeFileSync(file, serialize(disk))
  },
  async job({ file }: { readonly file: string }): Promise<JobTimes> {
    await warmUp(createStore({ schema, user: USER }))
    const disk = deserialize(readFileSync(file)) as MemoryDisk
    const full = createStore({ schema, user: USER, storage: createMemoryStorage({ disk }) })
    const empty = createStore({ schema, user: USER, storage: createMemoryStorage() })
    await Promise.all([empty.ready, full.ready])
    return jobOfTidemark(empty, full)
  },
  jobOfPeer,
  footprint: footprintOfTidemark,
  footprintOfPeer,
  grownPeer,
  typeByUpdate,
  typeOpen,
  typeInYjs,
  async update({ file, perTask }: PerTask & { readonly file: string }): Promise<WriteTimes> {
    await warmUp(createStore({ schema, user: USER }))
    const disk = deserialize(readFileSync(file)) as MemoryDisk
    const store = createStore({ schema, user: USER, storage: createMemoryStorage({ disk }) })
    await store.ready
    return updateItems(store, perTask)
  },
  async insert({ perTask }: PerTask): Promise<WriteTimes> {
    await warmUp(createStore({ schema, user: USER }))
    const store = createStore({ schema, user: USER })
    await store.ready
    return insertItems(store, perTask)
  },
  async updateYjs({ perTask }: PerTask): Promise<WriteTimes> {
    await warmUpYjs()
    return updateYItems(fillYDoc(new Y.Doc()), perTask)
  },
  async insertYjs({ perTask }: PerTask): Promise<WriteTimes> {
    await warmUpYjs()
    return insertYItems(new Y.Doc(), perTask)
  },
  editToAck,
  editToSeen,
  editToSeenByYWebsocket,
  writeSteadily,
} as const

export type NodePrograms = typeof programs

async function allConfirmed(store: ItemStore): Promise<void> {
  while (store.operations.list().length > 0) await pause(5)
}

const [name = '', argument = 'null'] = process.argv.slice(2)
const program = programs[name as keyof NodePrograms] as (argument: unknown) => Promise<unknown>
const result = (await program(JSON.parse(argument))) ?? null
// Stores that are still open would keep the process.
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit())
