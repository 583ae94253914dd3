import { inLoad } from '../node-program.js'
import type { Believed } from '../programs/relay/lost.js'
import { type Benchmark, within } from '../report.js'
import { eachInTurns, report } from './contenders.js'
import type { Server } from './servers.js'

const PER_SECOND = 200
const ROOM = 'lost'
/** Where the moments of the kills come from; printed with the table, so that they can be had again. */
const SEED = 20_261_121
const EARLIEST_MS = 300
const LATEST_MS = 3_300

interface Loss {
  readonly believed: number
  readonly lost: number
}

/** What was answered, or shown to others where nothing is answered, and isn't there after kill -9 and a restart. */
export const lost: Benchmark = async ({ isFull }) => {
  const rounds = isFull ? 5 : 2
  const turns = new Map<string, number>()
  const results = await eachInTurns(rounds, async (server): Promise<Loss> => {
    const { dialect } = server.address
    const turn = turns.get(dialect) ?? 0
    turns.set(dialect, turn + 1)
    // Every contender is killed at the same moments.
    return killed(server, momentOf(turn))
  })
  const sum = (losses: readonly Loss[], figure: keyof Loss): number =>
    losses.reduce((total, loss) => total + loss[figure], 0)
  const row = (name: string, losses: readonly Loss[]): readonly string[] => [
    name,
    String(sum(losses, 'believed')),
    String(sum(losses, 'lost')),
    losses.map((loss) => loss.lost).join(', '),
  ]
  return report(
    [
      row('Tidemark, acknowledged', results.tidemark),
      row('Hocuspocus with SQLite, “synced”', results.hocuspocus),
      row('y-websocket with LevelDB, shown to others', results.yWebsocket),
    ],
    [within('acknowledged edits lost under kill -9', sum(results.tidemark, 'lost'), 0, 'edits')],
    [`edits, ${rounds} kills, seed ${SEED}`, 'answered before the kill', 'lost', 'in each kill'],
  )
}

async function killed(server: Server, milliseconds: number): Promise<Loss> {
  const where = { ...server.address, room: ROOM }
  const believed: Believed = await inLoad('writeUntilKilled', {
    ...where,
    perSecond: PER_SECOND,
    milliseconds,
  })
  await server.restart()
  const titles = await inLoad('titles', { ...server.address, room: ROOM })
  const marks = Object.entries(believed)
  const missing = marks.filter(([id, mark]) => titles[id]?.startsWith(mark) !== true)
  return { believed: marks.length, lost: missing.length }
}

/** Spread over the interval by the seed (a step of mulberry32). */
function momentOf(turn: number): number {
  let state = (SEED + turn * 0x6d_2b_79_f5) | 0
  state = Math.imul(state ^ (state >>> 15), state | 1)
  state ^= state + Math.imul(state ^ (state >>> 7), state | 61)
  const chance = ((state ^ (state >>> 14)) >>> 0) / 2 ** 32
  return Math.round(EARLIEST_MS + chance * (LATEST_MS - EARLIEST_MS))
}
