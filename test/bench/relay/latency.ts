import { median, percentile } from '../measure.js'
import { inLoad } from '../node-program.js'
import type { SteadyResult } from '../programs/relay/steady.js'
import { type Benchmark, within } from '../report.js'
import { eachInTurns, type Results, report, roundsOf, rowOf } from './contenders.js'

const READERS = 50
const PER_SECOND = 100
const SECONDS = 5

/** From an edit until others have it, and until it is answered, at a rate that leaves everybody time. */
export const latency: Benchmark = async (surroundings) => {
  const results: Results<SteadyResult> = await eachInTurns(roundsOf(surroundings), (server) =>
    inLoad('steady', {
      ...server.address,
      readers: READERS,
      perSecond: PER_SECOND,
      seconds: SECONDS,
    }),
  )
  const seen = (share: number) => (result: SteadyResult) => percentile(result.seen, share)
  const answered = (share: number) => (result: SteadyResult) =>
    result.answered.length === 0 ? Number.NaN : percentile(result.answered, share)
  const own = (share: number): number => median(results.tidemark.map(seen(share)))
  const delivered = READERS * PER_SECOND * SECONDS
  return report(
    [
      rowOf('ms from edit to seen, p50', results, seen(0.5)),
      rowOf('ms from edit to seen, p99', results, seen(0.99)),
      rowOf('ms from edit to answer, p50', results, answered(0.5)),
      rowOf('ms from edit to answer, p99', results, answered(0.99)),
      rowOf('delivered a CPU second', results, ({ cpuSeconds }) => delivered / cpuSeconds),
    ],
    [
      within('from edit to seen by 50 readers, p50', own(0.5), 2, 'ms'),
      within('from edit to seen by 50 readers, p99', own(0.99), 5, 'ms'),
    ],
  )
}
