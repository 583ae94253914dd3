import { inTurns, median, medianRatio } from './measure.js'
import type { LoadTimes } from './programs/loads.js'
import { type Benchmark, format, within } from './report.js'

const STEPS = ['ready', 'first', 'all'] as const

/** 10,000 entities from IndexedDB, in a fresh page. */
export const load: Benchmark = async ({ browser, replicas }) => {
  const { run } = await browser()
  const [confirmed] = await replicas(1)
  if (confirmed === undefined) throw new Error('There is no replica to load.')
  const unsent = { user: 'never-online' }
  await run('fill', unsent)
  await run('saveYjs', 'items')
  const times = await inTurns({
    'Tidemark, all confirmed': () => run('load', confirmed),
    'Tidemark, nothing sent yet': () => run('load', unsent),
    'y-indexeddb, one document': () => run('loadYjs', 'items'),
  })
  const peer = times['y-indexeddb, one document'].map(({ all }) => all)
  const rows = Object.entries(times).map(([name, loads]) => [
    name,
    ...STEPS.map((step) => format(medianOf(loads, step))),
    medianRatio(
      peer,
      loads.map(({ all }) => all),
    ).toFixed(2),
  ])
  const own = times['Tidemark, all confirmed']
  return {
    head: ['ms until', 'ready', 'first 50 rows', 'all rows read', 'y-indexeddb ÷ this'],
    rows,
    aims: [
      within('the first 50 of 10,000 rows', medianOf(own, 'first'), 50, 'ms'),
      within('all of 10,000 rows read', medianOf(own, 'all'), 100, 'ms'),
    ],
  }
}

function medianOf(loads: readonly LoadTimes[], step: keyof LoadTimes): number {
  return median(loads.map((times) => times[step]))
}
