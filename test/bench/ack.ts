import { inTurns, median, percentile } from './measure.js'
import { inNode, startInNode } from './node-program.js'
import { type Benchmark, format } from './report.js'

const EDITS = 200
const BACKGROUND_PER_SECOND = 50

/** From an edit until the relay's acknowledgement of its durable commit has arrived, on one connection. */
export const ack: Benchmark = async ({ relay }) => {
  const url = await relay()
  const times = await inTurns({
    idle: (round) => inNode('editToAck', { url, space: `idle-${round}`, count: EDITS }),
    async busy(round) {
      const place = { url, space: `busy-${round}` }
      const options = { ...place, perSecond: BACKGROUND_PER_SECOND }
      const stop = await startInNode('node.ts', 'writeSteadily', JSON.stringify(options))
      try {
        return await inNode('editToAck', { ...place, count: EDITS })
      } finally {
        await stop()
      }
    },
  })
  const row = (name: string, rounds: readonly (readonly number[])[]): string[] => [
    name,
    ...[0.5, 0.99].map((share) => format(median(rounds.map((round) => percentile(round, share))))),
  ]
  return {
    head: ['ms from edit to ack', 'p50', 'p99'],
    rows: [
      row('nobody else writes', times.idle),
      row(`${BACKGROUND_PER_SECOND} edits a second by somebody else`, times.busy),
    ],
    aims: [],
  }
}
