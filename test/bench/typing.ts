import { inTurns, median, medianRatio } from './measure.js'
import { inNode } from './node-program.js'
import { type Benchmark, format } from './report.js'

const LETTERS = 500

/** Letters typed one by one at the end of a text of some pages. */
export const typing: Benchmark = async () => {
  const times = await inTurns({
    'Tidemark, `open`': () => inNode('typeOpen', { letters: LETTERS }),
    'Tidemark, `update`': () => inNode('typeByUpdate', { letters: LETTERS }),
    'raw Yjs': () => inNode('typeInYjs', { letters: LETTERS }),
  })
  const peer = times['raw Yjs']
  return {
    head: ['', 'letters a second', 'this ÷ raw Yjs'],
    rows: Object.entries(times).map(([name, rounds]) => [
      name,
      format(Math.round((LETTERS * 1_000) / median(rounds))),
      medianRatio(peer, rounds).toFixed(2),
    ]),
    aims: [],
  }
}
