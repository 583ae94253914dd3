import { createStore } from '@tidemark/core'
import * as Y from 'yjs'
import { copyDatabase } from './copy-database.js'
import { COUNT, fillYDoc, type ItemStore, schema } from './items.js'
import { type LoadTimes, loadItems, loadYItems } from './loads.js'
import { pause, verify } from './tasks.js'
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
import { saveYItems, updateSavedYItems } from './y-indexeddb.js'

/** Whose database a program works on; without a relay's address one that has never seen a relay. */
export interface Replica {
  readonly user: string
  readonly url?: string
}

/** What benchmarks run inside of a page. Arguments and results pass as JSON. */
const programs = {
  /** Fetches all items from a relay, so that they are on the disk when this resolves. */
  async fetch(replica: Replica): Promise<void> {
    const store = open(replica)
    await store.ready
    while (store.status.current.connection !== 'online') await pause(5)
    verify(store.items.query().current.length === COUNT, 'the relay sent other items')
    await store.close()
  },
  /** Gives another user a copy of what a user has on the disk. */
  copy: ({ from, to }: { readonly from: string; readonly to: string }) => copyDatabase(from, to),
  /** Makes all items here; nobody else has them. */
  async fill(replica: Replica): Promise<void> {
    const store = open(replica)
    await store.ready
    await insertItems(store, 100)
    await store.close()
  },
  async update({ perTask, ...replica }: Replica & PerTask): Promise<WriteTimes> {
    await warmUp(open({ user: 'warm-up' }))
    const store = open(replica)
    await store.ready
    const times = await updateItems(store, perTask)
    await store.close()
    return times
  },
  async insert({ perTask, ...replica }: Replica & PerTask): Promise<WriteTimes> {
    await warmUp(open({ user: 'warm-up' }))
    const store = open(replica)
    await store.ready
    const times = await insertItems(store, perTask)
    await store.destroy({ force: true })
    return times
  },
  async updateYjs({ perTask }: PerTask): Promise<WriteTimes> {
    await warmUpYjs()
    return updateYItems(fillYDoc(new Y.Doc()), perTask)
  },
  async insertYjs({ perTask }: PerTask): Promise<WriteTimes> {
    await warmUpYjs()
    return insertYItems(new Y.Doc(), perTask)
  },
  async load(replica: Replica): Promise<LoadTimes> {
    const start = performance.now()
    const store = open(replica)
    const times = await loadItems(store, start)
    await store.close()
    return times
  },
  saveYjs: saveYItems,
  updateSavedYjs: updateSavedYItems,
  loadYjs: loadYItems,
} as const

export type PagePrograms = typeof programs

function open(replica: Replica): ItemStore {
  return createStore({ schema, ...replica })
}

Object.assign(globalThis, { programs })
