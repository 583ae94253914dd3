import { median } from '../measure.js'
import { startLoad } from '../node-program.js'
import { type Benchmark, within } from '../report.js'
import { eachInTurns, report, rowOf } from './contenders.js'
import type { Memory, Server } from './servers.js'

const ROOMS = 40
const ENTITIES = 1_000
const MIB = 2 ** 20
/** Hocuspocus stores and unloads after up to ten seconds. */
const UNLOAD_MS = 12_000

interface Stages {
  readonly empty: Memory
  readonly open: Memory
  readonly left: Memory
}

/** What rooms take while somebody is in them, and when nobody is any more. */
export const memory: Benchmark = async () => {
  const results = await eachInTurns(1, measure)
  const open = (kind: keyof Memory) => (stages: Stages) =>
    (stages.open[kind] - stages.empty[kind]) / ROOMS / MIB
  const left = (kind: keyof Memory) => (stages: Stages) =>
    (stages.left[kind] - stages.empty[kind]) / MIB
  const own = results.tidemark
  return report(
    [
      rowOf('MiB of the process, nothing open', results, ({ empty }) => empty.rss / MIB),
      rowOf('MiB more for each open space', results, open('rss')),
      rowOf('of that in the heap and buffers', results, open('heap')),
      rowOf('MiB more after all were left', results, left('rss')),
      rowOf('of that in the heap and buffers, left', results, left('heap')),
    ],
    [
      within('heap of an open space of 1,000', median(own.map(open('heap'))), 0.1, 'MiB'),
      within('heap of 40 spaces that were left', median(own.map(left('heap'))), 1, 'MiB'),
    ],
  )
}

async function measure(server: Server): Promise<Stages> {
  const empty = await server.memory()
  const leave = await startLoad('hold', { ...server.address, rooms: ROOMS, entities: ENTITIES })
  await server.idle()
  const open = await server.memory()
  await leave()
  await new Promise((resolve) => setTimeout(resolve, UNLOAD_MS))
  await server.idle()
  return { empty, open, left: await server.memory() }
}
