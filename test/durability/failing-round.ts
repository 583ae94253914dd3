import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { examineRestart } from './examination.js'
import { type Fault, failing } from './faults.js'
import { createLedger, type Ledger } from './ledger.js'
import { createAuthor } from './operations.js'
import { connectToRelay } from './relay-client.js'
import { type RelayLife, startLife } from './relay-life.js'
import { inScratchFolder } from './scratch.js'

/** What became of a relay whose disk fails for a while. */
export interface FailingRound {
  /** It said why it doesn't start, and started when the disk worked again. */
  readonly refusedToStart: boolean
  /** How many operations it refused because of the disk. */
  readonly unavailable: number
  /** How often a call was made to fail. */
  readonly faults: number
  /** What was wrong: an answer that should not have been given, a reader left alone, something lost. */
  readonly problems: readonly string[]
}

const WRITES = 8
const LARGE = 30_000
/** About the longest that a relay waits before it looks at its disk again, several times over. */
const RECOVERY_POLLS = 6_000
const POLL_MS = 10

/**
 * Writes all the time, and goes on reading while that doesn't work. With a fault that passes the relay has to recover by
 * itself; with one that doesn't it is stopped.
 */
export function failAtWork(
  fault: Fault,
  { passes, bytes = LARGE }: { readonly passes: boolean; readonly bytes?: number },
): Promise<FailingRound> {
  return inScratchFolder(async (folder) => {
    const data = join(folder, 'data')
    const log = join(folder, 'strace.log')
    const ledger = createLedger()
    const problems: string[] = []
    const life = await startLife({ data, under: failing(data, fault, log) })
    let unavailable = 0
    if (life.url === undefined) {
      const { code, errors } = await life.ended
      if (code !== 1 || !/ \[data-(unwritable|damaged)\]\n$/.test(errors))
        problems.push(`it ended with ${code}: ${errors}`)
    } else {
      const found = await writeOnFailing(life, life.url, ledger, { passes, bytes })
      unavailable = found.unavailable
      problems.push(...found.problems)
      const { code, signal, errors } = await life.stop()
      if (code !== 0) problems.push(`it stopped with ${code ?? signal}: ${errors}`)
    }
    const faults = readFileSync(log, 'utf8').split('(INJECTED)').length - 1
    return {
      refusedToStart: life.url === undefined,
      unavailable,
      faults,
      problems: [...problems, ...(await examineRestart(data, ledger))],
    }
  })
}

/** Pushes one operation after the other until the relay has taken them all, or says that it can't. */
async function writeOnFailing(
  life: RelayLife,
  url: string,
  ledger: Ledger,
  { passes, bytes }: { readonly passes: boolean; readonly bytes: number },
): Promise<{ readonly unavailable: number; readonly problems: readonly string[] }> {
  const author = createAuthor()
  const problems: string[] = []
  let unavailable = 0
  for (let count = 0; count < WRITES; count++) {
    // Every second one by itself, the others in company.
    const writes = Array.from({ length: count % 2 === 0 ? 1 : 5 }, (_, index) =>
      author.write(index, count % 3 === 0 ? bytes : 0),
    )
    for (const write of writes) ledger.send(write)
    const refused = await pushOpen(url, ledger, problems)
    if (refused === 0) continue
    unavailable += refused
    problems.push(...(await lookAtFailing(url, ledger, passes)))
    if (!passes) break
    if (!(await becomesReady(url))) problems.push(`it does not recover: ${life.errors()}`)
    else if ((await pushOpen(url, ledger, problems)) > 0) count -= 1
  }
  return { unavailable, problems }
}

/** @returns how many were refused because of the disk */
export async function pushOpen(url: string, ledger: Ledger, problems: string[]): Promise<number> {
  const client = await connectToRelay(url, ledger)
  const answers = (await client?.push(...ledger.open())) ?? []
  client?.close()
  const refusals = answers.filter((answer) => answer?.type !== 'ack')
  for (const refusal of refusals) {
    if (refusal?.type !== 'reject' || !refusal.retryable || refusal.code !== 'unavailable')
      problems.push(`answered with ${JSON.stringify(refusal ?? 'nothing')}`)
  }
  return refusals.length
}

/** While it fails it says so, and shows exactly what it has promised: nothing of what it could not commit. */
export async function lookAtFailing(
  url: string,
  ledger: Ledger,
  passes: boolean,
): Promise<readonly string[]> {
  const isReady = (await fetch(`${url}/ready`)).ok
  const client = await connectToRelay(url, ledger)
  const held = await client?.read()
  client?.close()
  if (held === undefined) return ['it can not be read while its disk fails']
  const problems = [...ledger.compare(held)]
  if (isReady && !passes) problems.push('it says that it is ready while its disk fails')
  const untold = held.fates.filter(({ id }) => !ledger.promised.has(id))
  if (!isReady && untold.length > 0) problems.push('it shows what is not committed')
  return problems
}

export async function becomesReady(url: string): Promise<boolean> {
  for (let polls = 0; polls < RECOVERY_POLLS; polls++) {
    if ((await fetch(`${url}/ready`)).ok) return true
    await delay(POLL_MS)
  }
  return false
}
