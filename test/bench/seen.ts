import { inTurns, median, medianRatio, percentile } from './measure.js'
import { inNode } from './node-program.js'
import { type Benchmark, format } from './report.js'

const EDITS = 200

/** From an edit until somebody else's client shows it. */
export const seen: Benchmark = async ({ relay, yWebsocketRelay }) => {
  const [url, peerUrl] = [await relay(), await yWebsocketRelay()]
  const times = await inTurns({
    tidemark: (round) => inNode('editToSeen', { url, space: `seen-${round}`, count: EDITS }),
    yWebsocket: (round) =>
      inNode('editToSeenByYWebsocket', { url: peerUrl, space: `seen-${round}`, count: EDITS }),
  })
  const row = (name: string, share: number): string[] => {
    const own = times.tidemark.map((round) => percentile(round, share))
    const peer = times.yWebsocket.map((round) => percentile(round, share))
    return [name, format(median(own)), format(median(peer)), medianRatio(own, peer).toFixed(2)]
  }
  return {
    head: [
      'ms from edit to seen',
      'Tidemark, durable',
      'y-websocket, memory',
      'Tidemark ÷ y-websocket',
    ],
    rows: [row('p50', 0.5), row('p99', 0.99)],
    aims: [],
  }
}
