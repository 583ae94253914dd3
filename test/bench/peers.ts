import { inTurns, median, medianRatio } from './measure.js'
import { inNode } from './node-program.js'
import { COUNT } from './programs/items.js'
import type { JobTimes } from './programs/jobs.js'
import { type Benchmark, format, times } from './report.js'

const STEPS = ['insert', 'update', 'read', 'readAgain'] as const
type Step = (typeof STEPS)[number]

/** The same writes and reads with other libraries, in Node and in memory. */
export const peers: Benchmark = async ({ disk }) => {
  const file = await disk()
  const measured = await inTurns({
    tidemark: () => inNode('job', { file }),
    yjs: () => inNode('jobOfPeer', 'yjs'),
    tinyBase: () => inNode('jobOfPeer', 'tinyBase'),
    tanStack: () => inNode('jobOfPeer', 'tanStack'),
  })
  const rates = (rounds: readonly JobTimes[], step: Step): number[] =>
    rounds.map((round) => (COUNT * 1_000) / round[step])
  const ratio = (step: Step): number =>
    medianRatio(rates(measured.tidemark, step), rates(measured.yjs, step))
  const row = (name: string, rounds: readonly JobTimes[]): string[] => [
    name,
    ...STEPS.map((step) => format(Math.round(median(rates(rounds, step))))),
  ]
  return {
    head: ['a second', 'inserts', 'field updates', 'entities read', 'and read again'],
    rows: [
      row('Tidemark', measured.tidemark),
      row('raw Yjs', measured.yjs),
      row('TinyBase MergeableStore', measured.tinyBase),
      row('TanStack DB', measured.tanStack),
      ['Tidemark ÷ raw Yjs', ...STEPS.map((step) => ratio(step).toFixed(2))],
    ],
    aims: [
      times('field updates a second, Tidemark ÷ raw Yjs', ratio('update'), 0.5),
      times('entities read a second, Tidemark ÷ raw Yjs', ratio('read'), 3),
    ],
  }
}
