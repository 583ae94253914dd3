import { median, medianRatio } from '../measure.js'
import { inLoad } from '../node-program.js'
import type { FanOutResult } from '../programs/relay/fan-out.js'
import { type Aim, atLeast, type Benchmark, times } from '../report.js'
import { eachInTurns, type Results, report, roundsOf, rowOf } from './contenders.js'

const SIZES = [
  { readers: 50, updates: 10_000 },
  { readers: 200, updates: 4_000 },
] as const

/** One writes to many, as fast as the slowest of them reads. */
export const fanOut: Benchmark = async (surroundings) => {
  const rows: (readonly string[])[] = []
  const aims: Aim[] = []
  for (const { readers, updates } of SIZES) {
    const results: Results<FanOutResult> = await eachInTurns(roundsOf(surroundings), (server) =>
      inLoad('fanOut', { ...server.address, readers, updates }),
    )
    const delivered = readers * updates
    const perCpuSecond = ({ cpuSeconds }: FanOutResult): number => delivered / cpuSeconds
    rows.push(
      rowOf(`${readers} readers, a second`, results, ({ seconds }) => delivered / seconds),
      rowOf(`${readers} readers, a CPU second`, results, perCpuSecond),
    )
    const own = results.tidemark.map(perCpuSecond)
    for (const [name, peer] of [
      ['Hocuspocus', results.hocuspocus],
      ['y-websocket', results.yWebsocket],
    ] as const) {
      const what = `delivered to ${readers} readers a CPU second, Tidemark ÷ ${name}`
      aims.push(times(what, medianRatio(own, peer.map(perCpuSecond)), 1))
    }
    if (readers === 50) {
      const aSecond = median(results.tidemark.map(({ seconds }) => delivered / seconds))
      aims.push(atLeast('updates delivered to 50 readers a second', aSecond, 400_000))
    }
  }
  return report(rows, aims)
}
