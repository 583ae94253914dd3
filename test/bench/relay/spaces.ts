import { median, medianRatio, percentile } from '../measure.js'
import { inLoad } from '../node-program.js'
import type { RoomsResult } from '../programs/relay/steady.js'
import { type Benchmark, times, within } from '../report.js'
import { eachInTurns, type Results, report, roundsOf, rowOf } from './contenders.js'

const SECONDS = 5

/** Many rooms with two clients each. */
export const spaces: Benchmark = async (surroundings) => {
  const rooms = surroundings.isFull ? 2_000 : 500
  const perSecond = surroundings.isFull ? 2_000 : 1_000
  const updates = perSecond * SECONDS
  const results: Results<RoomsResult> = await eachInTurns(roundsOf(surroundings), (server) =>
    inLoad('rooms', { ...server.address, rooms, perSecond, seconds: SECONDS }),
  )
  const perCpuSecond = ({ cpuSeconds }: RoomsResult): number => updates / cpuSeconds
  const per10k = ({ cpuSeconds }: RoomsResult): number => (cpuSeconds / updates) * 10_000
  const ratio = (peer: readonly RoomsResult[]): number =>
    medianRatio(results.tidemark.map(perCpuSecond), peer.map(perCpuSecond))
  const name = `${rooms} spaces, ${perSecond} updates a second`
  return report(
    [
      rowOf(`${name}: delivered a CPU second`, results, perCpuSecond),
      rowOf('CPU seconds for 10,000 updates', results, per10k),
      rowOf('ms from edit to seen, p50', results, ({ seen }) => percentile(seen, 0.5)),
      rowOf('ms from edit to seen, p99', results, ({ seen }) => percentile(seen, 0.99)),
      rowOf('seconds until all have joined', results, ({ joinSeconds }) => joinSeconds),
    ],
    [
      times(
        'delivered in many spaces a CPU second, Tidemark ÷ Hocuspocus',
        ratio(results.hocuspocus),
        1,
      ),
      times(
        'delivered in many spaces a CPU second, Tidemark ÷ y-websocket',
        ratio(results.yWebsocket),
        1,
      ),
      within(
        'CPU for 10,000 updates in many spaces',
        median(results.tidemark.map(per10k)),
        0.6,
        's',
      ),
    ],
  )
}
