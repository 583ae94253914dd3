import type { Ledger } from './ledger.js'
import type { Author, PairWrite } from './operations.js'
import { connectToRelay } from './relay-client.js'

/** Enough to be compacted as soon as it is written over. */
const LARGE = 5_000
/** Six of them, on both sides of a pair, fill a write-ahead log, so that a checkpoint comes in the middle. */
const HUGE = 420_000
/** Operations that arrive while one commit runs, and share the next one. */
const BURST = 12

/**
 * `small`: commits of one operation and of many, new entities and old ones, a compaction. `large`: a checkpoint as well.
 */
export type WorkSize = 'small' | 'large'

/**
 * What a short life of a relay is about. Ends early when the relay does. What could not be sent is in the ledger all the
 * same, for the next life.
 */
export async function work(
  url: string,
  author: Author,
  ledger: Ledger,
  size: WorkSize = 'small',
): Promise<void> {
  const client = await connectToRelay(url, ledger)
  const write = (pair: number, bytes?: number): PairWrite => {
    const made = author.write(pair, bytes)
    ledger.send(made)
    return made
  }
  if (client === undefined) return
  await client.push(write(1))
  await client.push(write(2, LARGE))
  await client.push(...Array.from({ length: BURST }, (_, index) => write(1 + (index % 5))))
  await client.push(write(2, LARGE))
  if (size === 'large') for (let pair = 6; pair < 12; pair++) await client.push(write(pair, HUGE))
  await client.push(write(1))
  client.close()
}

/** Sends again, in their order, what the relay has not promised yet: now it has to. */
export async function finish(url: string, ledger: Ledger): Promise<void> {
  const client = await connectToRelay(url, ledger)
  if (client === undefined) throw new Error('the relay can not be reached')
  const answers = await client.push(...ledger.open())
  client.close()
  for (const answer of answers) {
    if (answer?.type !== 'ack') throw new Error(`not taken after a restart: ${describe(answer)}`)
  }
}

function describe(answer: object | undefined): string {
  return answer === undefined ? 'the connection broke' : JSON.stringify(answer)
}
