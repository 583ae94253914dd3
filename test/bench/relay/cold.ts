import { inTurns, median, medianRatio } from '../measure.js'
import { inLoad } from '../node-program.js'
import type { ColdResult } from '../programs/relay/cold.js'
import type { DialectName } from '../programs/relay/dialect.js'
import { type Benchmark, times, within } from '../report.js'
import { report, roundsOf, spread } from './contenders.js'
import { type Server, startServer } from './servers.js'

const ENTITIES = 10_000

type Fill = 'fillOneRoom' | 'fillManyDocuments'
type Join = 'coldTidemark' | 'coldStore' | 'coldDocument' | 'coldManyDocuments'

/** A client that has nothing joins a server that was just started. */
export const cold: Benchmark = async (surroundings) => {
  const filled: Server[] = []

  async function fill(dialect: DialectName, how: Fill): Promise<Server> {
    const server = await startServer(dialect)
    filled.push(server)
    await inLoad(how, { ...server.address, entities: ENTITIES })
    await server.idle()
    return server
  }

  /** A turn of a server that has everything. */
  const turn = (server: Server, join: Join) => async (): Promise<ColdResult> => {
    await server.restart()
    return inLoad(join, { ...server.address, entities: ENTITIES })
  }

  try {
    const tidemark = await fill('tidemark', 'fillOneRoom')
    const hocuspocus = await fill('hocuspocus', 'fillOneRoom')
    const yWebsocket = await fill('yWebsocket', 'fillOneRoom')
    const results = await inTurns(
      {
        tidemark: turn(tidemark, 'coldTidemark'),
        store: turn(tidemark, 'coldStore'),
        hocuspocus: turn(hocuspocus, 'coldDocument'),
        yWebsocket: turn(yWebsocket, 'coldDocument'),
      },
      roundsOf(surroundings),
    )
    const usable = ({ usable }: ColdResult): number => usable
    const peer = results.hocuspocus.map(usable)
    const row = (name: string, own: readonly ColdResult[]): readonly string[] => [
      name,
      spread(own.map(({ received }) => received)),
      spread(own.map(usable)),
      medianRatio(own.map(usable), peer).toFixed(2),
    ]
    const rows = [
      row('Tidemark, one space, values read', results.tidemark),
      row('Tidemark, one space, rows of a store', results.store),
      row('Hocuspocus, one document', results.hocuspocus),
      row('y-websocket, one document', results.yWebsocket),
    ]
    if (surroundings.isFull) {
      const documents = await fill('hocuspocus', 'fillManyDocuments')
      const join = turn(documents, 'coldManyDocuments')
      rows.push(row('Hocuspocus, 10,000 documents', [await join()]))
    }
    const ratio = medianRatio(peer, results.store.map(usable))
    return report(
      rows,
      [
        times(
          'cold synchronisation of 10,000 entities into a store, Hocuspocus ÷ Tidemark',
          ratio,
          2,
        ),
        within(
          'cold synchronisation of 10,000 entities into a store',
          median(results.store.map(usable)),
          700,
          'ms',
        ),
      ],
      ['ms until', 'received', 'usable', 'usable, this ÷ one document of Hocuspocus'],
    )
  } finally {
    for (const server of filled) await server.dispose()
  }
}
