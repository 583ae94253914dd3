import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom } from '../simulation/random.js'
import type { Remains } from './kill-round.js'
import { createLedger } from './ledger.js'
import { sidesOf } from './operations.js'
import { connectToRelay } from './relay-client.js'
import { startLife } from './relay-life.js'
import { inScratchFolder } from './scratch.js'

const DATABASE = 'tidemark.db'

export interface DamageRound {
  /** `refused`: it did not start. `silent`: a reader got no answer, or not all of it. */
  readonly outcome: 'refused' | 'silent' | 'served'
  /** Entities that were not served. */
  readonly missing: number
  readonly problems: readonly string[]
}

/**
 * Changes one random byte of a database and starts a relay on it. It may leave out what it can't vouch for, or not start at
 * all, and says so; it never shows what nobody has written, and never falls over.
 */
export function damageAndServe(remains: Remains, seed: number): Promise<DamageRound> {
  return inScratchFolder(async (folder) => {
    const data = join(folder, 'data')
    cpSync(remains.data, data, { recursive: true })
    damage(join(data, DATABASE), seed)
    const life = await startLife({ data })
    if (life.url === undefined) {
      const { code, errors } = await life.ended
      const isCoded = code === 1 && / \[data-\w+\]\n$/.test(errors)
      const problems = isCoded ? [] : [`seed ${seed}: it ended with ${code}: ${errors}`]
      return { outcome: 'refused', missing: 0, problems }
    }
    // What it tells is compared here, not trusted.
    const client = await connectToRelay(life.url, createLedger([...remains.ledger.sent]))
    const held = await client?.read()
    client?.close()
    const { code, signal, errors } = await life.stop()
    const problems: string[] = []
    if (code !== 0) problems.push(`it ended with ${code ?? signal}: ${errors}`)
    let missing = 0
    for (const { id, sequence } of held?.fates ?? []) {
      if (remains.ledger.promised.get(id) !== sequence) problems.push(`${id} has ${sequence}`)
    }
    for (const [id, value] of lastValues(remains)) {
      const shown = held?.values.get(id)
      if (shown === undefined) missing += 1
      else if (shown !== value) problems.push(`${id} shows ${String(shown).slice(0, 20)}`)
    }
    const isTold = errors.includes('"level":50') || errors.includes('"level":40')
    if (missing > 0 && !isTold) problems.push(`${missing} entities are missing, without a word`)
    return {
      outcome: held === undefined ? 'silent' : 'served',
      missing: held === undefined ? 0 : missing,
      problems: problems.map((problem) => `seed ${seed}: ${problem}`),
    }
  })
}

function damage(path: string, seed: number): void {
  const random = seededRandom(seed)
  const bytes = readFileSync(path)
  const at = random.below(bytes.length)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
  writeFileSync(path, bytes)
}

function lastValues({ ledger }: Remains): Map<string, string> {
  return new Map(
    ledger.sent.flatMap(({ pair, value }) => sidesOf(pair).map((id) => [id, value] as const)),
  )
}
