import { inTurns, median, medianRatio, ROUNDS } from './measure.js'
import { COUNT } from './programs/items.js'
import { type Benchmark, format, within } from './report.js'

/** 10,000 field updates in one task, until all of them are in IndexedDB. */
export const durable: Benchmark = async ({ browser, replicas }) => {
  const { run } = await browser()
  const fresh = await replicas(ROUNDS + 1)
  const times = await inTurns({
    async tidemark(round) {
      const replica = fresh[round]
      if (replica === undefined) throw new Error('There are more runs than replicas.')
      return (await run('update', { ...replica, perTask: COUNT })).saved
    },
    async yIndexedDb(round) {
      const name = `durable-${round}`
      await run('saveYjs', name)
      return (await run('updateSavedYjs', name)).saved
    },
  })
  const own = median(times.tidemark)
  return {
    head: ['ms until saved', 'Tidemark', 'y-indexeddb', 'y-indexeddb ÷ Tidemark'],
    rows: [
      [
        '10,000 field updates',
        format(own),
        format(median(times.yIndexedDb)),
        medianRatio(times.yIndexedDb, times.tidemark).toFixed(2),
      ],
    ],
    aims: [within('10,000 writes until durable in IndexedDB', own, 1_000, 'ms')],
  }
}
