import { join } from 'node:path'
import { removeFolder, temporaryFolder } from '../support/repository.js'
import { inNode } from './node-program.js'
import type { Footprint } from './programs/footprint.js'
import { type Benchmark, times, within } from './report.js'

const OVERWRITES = { entities: 100, times: 100 }
/** Where `fill` puts the items. */
const FILLED = 'default'
const GROWN = 'grown'

/** What an entity takes in memory and in bytes: as it was made, and after 100 overwrites of each field. */
export const memory: Benchmark = async ({ disk, relay }) => {
  const folder = temporaryFolder('grown')
  try {
    const grown = { file: join(folder, 'disk'), space: GROWN }
    await inNode('grow', { url: await relay(), ...grown, ...OVERWRITES })
    // A heap after its garbage is collected is nearly the same each time: there are no rounds.
    const own = await inNode('footprint', { file: await disk(), space: FILLED })
    const yjs = await inNode('footprintOfPeer', 'yjs')
    const ownGrown = await inNode('footprint', grown)
    const yjsGrown = await inNode('grownPeer', { name: 'yjs', ...OVERWRITES })
    const tinyBase = await inNode('footprintOfPeer', 'tinyBase')
    const tinyBaseGrown = await inNode('grownPeer', { name: 'tinyBase', ...OVERWRITES })
    const tanStack = await inNode('footprintOfPeer', 'tanStack')
    const row = (name: string, fresh: Footprint, after?: Footprint): string[] => [
      name,
      kilobytes(fresh.memory),
      kilobytes(fresh.encoded),
      kilobytes(after?.memory ?? null),
      kilobytes(after?.encoded ?? null),
    ]
    const withRows = (footprint: Footprint): Footprint => ({
      ...footprint,
      memory: footprint.withRows,
    })
    return {
      head: ['kB an entity', 'memory', 'encoded', 'memory, overwritten', 'encoded, overwritten'],
      rows: [
        row('Tidemark', own, ownGrown),
        row('Tidemark, every row in a live query', withRows(own), withRows(ownGrown)),
        row('raw Yjs, one document', yjs, yjsGrown),
        row('TinyBase MergeableStore', tinyBase, tinyBaseGrown),
        row('TanStack DB', tanStack),
      ],
      aims: [
        times('memory of an entity, raw Yjs ÷ Tidemark', yjs.memory / own.memory, 3),
        within('encoded after 100 overwrites of each field', kilo(ownGrown.encoded), 0.6, 'kB'),
        times(
          'memory after 100 overwrites of each field, raw Yjs ÷ Tidemark',
          yjsGrown.memory / ownGrown.memory,
          20,
        ),
      ],
    }
  } finally {
    removeFolder(folder)
  }
}

function kilo(bytes: number | null): number {
  return (bytes ?? Number.NaN) / 1_000
}

function kilobytes(bytes: number | null): string {
  return bytes === null ? '–' : kilo(bytes).toFixed(2)
}
