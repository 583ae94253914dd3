import { compareWrites, RUNS } from './compare-writes.js'
import { inNode } from './node-program.js'
import type { Benchmark } from './report.js'

/** One field of each of 10,000 confirmed entities, changed one by one, offline. */
export const update: Benchmark = async ({ browser, disk, replicas }) => {
  const file = await disk()
  const { run } = await browser()
  const fresh = [...(await replicas(RUNS))]
  return compareWrites(
    [
      {
        where: 'Node, memory',
        tidemark: (options) => inNode('update', { file, ...options }),
        yjs: (options) => inNode('updateYjs', options),
      },
      {
        where: 'Chromium, IndexedDB',
        tidemark(options) {
          const replica = fresh.pop()
          if (replica === undefined) throw new Error('There are more runs than replicas.')
          return run('update', { ...replica, ...options })
        },
        yjs: (options) => run('updateYjs', options),
      },
    ],
    { text: '35,000 field updates a second', perSecond: 35_000 },
  )
}
