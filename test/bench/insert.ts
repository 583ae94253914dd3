import { compareWrites } from './compare-writes.js'
import { inNode } from './node-program.js'
import type { Benchmark } from './report.js'

/** 10,000 entities of eight fields, added one by one to an empty store. */
export const insert: Benchmark = async ({ browser }) => {
  const { run } = await browser()
  return compareWrites(
    [
      {
        where: 'Node, memory',
        tidemark: (options) => inNode('insert', options),
        yjs: (options) => inNode('insertYjs', options),
      },
      {
        where: 'Chromium, IndexedDB',
        tidemark: (options) => run('insert', { user: 'author', ...options }),
        yjs: (options) => run('insertYjs', options),
      },
    ],
    { text: '20,000 inserts a second', perSecond: 20_000 },
  )
}
