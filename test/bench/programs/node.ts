// What benchmarks run in a Node process of its own: `node.ts <program> <argument as JSON>`. The last line that it
// prints is the result as JSON.
import { readFileSync, writeFileSync } from 'node:fs'
import { deserialize, serialize } from 'node:v8'
import { createMemoryDisk, createMemoryStorage, type MemoryDisk } from '@tidemark/core'
import { createStore } from '@tidemark/core/node'
import * as Y from 'yjs'
import { COUNT, fillYDoc, insertItem, schema } from './items.js'
import { editToAck, editToSeen, editToSeenByYWebsocket, writeSteadily } from './latencies.js'
import { inTasks, pause } from './tasks.js'
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

const programs = {
  /** Makes all items, brings them to a relay, and keeps in a file what a replica then has on its disk. */
  async fill({ url, file }: { readonly url: string; readonly file: string }): Promise<void> {
    const disk = createMemoryDisk()
    const storage = createMemoryStorage({ disk })
    const store = createStore({ schema, user: USER, url, storage })
    await store.ready
    await inTasks(COUNT, 100, (index) => insertItem(store, index))
    while (store.operations.list().length > 0) await pause(20)
    await store.close()
    writeFileSync(file, serialize(disk))
  },
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

const [name = '', argument = 'null'] = process.argv.slice(2)
const program = programs[name as keyof NodePrograms] as (argument: unknown) => Promise<unknown>
const result = (await program(JSON.parse(argument))) ?? null
// Stores that are still open would keep the process.
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit())
