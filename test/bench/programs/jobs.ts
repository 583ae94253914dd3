import { type Contender, tanStack, tinyBase, yjs } from './contenders.js'
import { COUNT, type ItemStore } from './items.js'
import { inTasks, verify } from './tasks.js'
import { insertItems, updateItems } from './writes.js'

/** Milliseconds for all items. */
export interface JobTimes {
  readonly insert: number
  readonly update: number
  /** Every field of every item, as plain objects. */
  readonly read: number
  /** The same a second time. */
  readonly readAgain: number
}

export type PeerName = 'yjs' | 'tinyBase' | 'tanStack'

const PER_TASK = 100

/** The job on a peer, 100 writes a task; once before it counts, so that the compiler has seen everything. */
export async function jobOfPeer(name: PeerName): Promise<JobTimes> {
  await write(await contenderOf(name), 2_000)
  return measureJob(await contenderOf(name))
}

export async function contenderOf(name: PeerName): Promise<Contender> {
  if (name === 'yjs') return yjs()
  return name === 'tinyBase' ? tinyBase() : tanStack()
}

async function measureJob(contender: Contender): Promise<JobTimes> {
  const times = await write(contender, COUNT)
  contender.check(2 * COUNT)
  return { ...times, ...(await measureReads(() => contender.all())) }
}

async function write(
  contender: Contender,
  count: number,
): Promise<Pick<JobTimes, 'insert' | 'update'>> {
  const insert = await timed(() => inTasks(count, PER_TASK, contender.insert))
  const update = await timed(() =>
    inTasks(count, PER_TASK, (index) => {
      contender.set((index * 7) % count, 'title', `renamed ${index} to a longer title`)
    }),
  )
  return { insert, update }
}

/** The job on Tidemark, on stores that have seen smaller ones: inserts into an empty store, everything else on a store whose items are confirmed. */
export async function jobOfTidemark(empty: ItemStore, full: ItemStore): Promise<JobTimes> {
  const reads = await measureReads(() => full.items.query().current)
  const { shown: insert } = await insertItems(empty, PER_TASK)
  const { shown: update } = await updateItems(full, PER_TASK)
  return { insert, update, ...reads }
}

async function measureReads(
  all: () => Iterable<object>,
): Promise<Pick<JobTimes, 'read' | 'readAgain'>> {
  const read = await timed(() => readItems(all()))
  const readAgain = await timed(() => readItems(all()))
  return { read, readAgain }
}

/** Reads every field, so that nothing can be left for later. */
function readItems(items: Iterable<object>): void {
  let read = 0
  let characters = 0
  for (const item of items) {
    for (const value of Object.values(item)) {
      if (typeof value === 'string') characters += value.length
    }
    read += 1
  }
  verify(read === COUNT && characters > COUNT * 40, `${read} items were read`)
}

async function timed(work: () => unknown): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
