import { median } from '../measure.js'
import { inLoad } from '../node-program.js'
import type { AnswersResult } from '../programs/relay/durable.js'
import { atLeast, type Benchmark } from '../report.js'
import { eachInTurns, type Results, report, roundsOf, rowOf } from './contenders.js'

const CLIENTS = 100
const UPDATES = 20_000

/** Many clients write as fast as they are answered. */
export const durable: Benchmark = async (surroundings) => {
  const results: Results<AnswersResult> = await eachInTurns(roundsOf(surroundings), (server) =>
    inLoad('answers', { ...server.address, clients: CLIENTS, updates: UPDATES }),
  )
  const perSecond = ({ seconds }: AnswersResult): number => UPDATES / seconds
  return report(
    [
      rowOf('answered a second', results, perSecond),
      rowOf('answered a CPU second', results, ({ cpuSeconds }) => UPDATES / cpuSeconds),
    ],
    [
      atLeast(
        'durable operations a second on one core',
        median(results.tidemark.map(perSecond)),
        10_000,
      ),
    ],
  )
}
