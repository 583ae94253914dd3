import { percentile } from '../measure.js'
import { inLoad, startLoad } from '../node-program.js'
import type { Benchmark } from '../report.js'
import { eachInTurns, report, roundsOf, rowOf } from './contenders.js'
import type { Server } from './servers.js'

const READERS = 10
const PER_SECOND = 100
const SECONDS = 3

interface Beside {
  readonly quiet: readonly number[]
  /** Empty when the server didn't get through it. */
  readonly attacked: readonly number[]
}

/** What it does to bystanders when somebody else sends garbage. */
export const garbage: Benchmark = async (surroundings) => {
  const results = await eachInTurns(roundsOf(surroundings), measure)
  const share = (kind: keyof Beside, of: number) => (beside: Beside) =>
    beside[kind].length === 0 ? Number.NaN : percentile(beside[kind], of)
  return report(
    [
      rowOf('quiet, p50', results, share('quiet', 0.5)),
      rowOf('quiet, p99', results, share('quiet', 0.99)),
      rowOf('attacked, p50', results, share('attacked', 0.5)),
      rowOf('attacked, p99', results, share('attacked', 0.99)),
    ],
    [],
  )
}

async function measure(server: Server): Promise<Beside> {
  const job = {
    ...server.address,
    readers: READERS,
    perSecond: PER_SECOND,
    seconds: SECONDS,
  }
  const { seen: quiet } = await inLoad('steady', { ...job, room: 'quiet' })
  const stop = await startLoad('attack', server.address)
  try {
    const { seen } = await inLoad('steady', { ...job, room: 'attacked' })
    return { quiet, attacked: seen }
  } catch {
    return { quiet, attacked: [] }
  } finally {
    await stop()
  }
}
