import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { removeFolder } from '../support/repository.js'
import { examineRestart } from './examination.js'
import { type DiskCall, killedAt, recorded } from './faults.js'
import { createLedger, type Ledger } from './ledger.js'
import { createAuthor } from './operations.js'
import { finishedTrace, startLife } from './relay-life.js'
import { inScratchFolder, makeScratchFolder } from './scratch.js'
import { countCalls } from './trace.js'
import { work } from './workload.js'

/** How often a relay that nobody kills makes each call on its data, in the same two lives. */
export interface Calls {
  readonly atWork: ReadonlyMap<string, number>
  readonly atRecovery: ReadonlyMap<string, number>
}

export function countCallsOf(remains: Remains): Promise<Calls> {
  return inScratchFolder(async (folder) => {
    const lives = { atWork: join(folder, 'new'), atRecovery: join(folder, 'again') }
    cpSync(remains.data, lives.atRecovery, { recursive: true })
    const count = async (data: string): Promise<ReadonlyMap<string, number>> => {
      const log = `${data}.log`
      const life = await startLife({ data, under: recorded(log) })
      if (life.url !== undefined && data === lives.atWork)
        await work(life.url, createAuthor(), createLedger())
      await life.stop()
      return countCalls(await finishedTrace(log, life.pid), data)
    }
    return { atWork: await count(lives.atWork), atRecovery: await count(lives.atRecovery) }
  })
}

export interface KillRound {
  /** Whether the relay lived to the end of its work: there are no more such calls. */
  readonly survived: boolean
  readonly promised: number
  /** What is wrong afterwards; empty when nothing is. */
  readonly problems: readonly string[]
}

/** From an empty directory to the end of the work and a stop, but for the kill in the middle. */
export async function killAtWork(call: DiskCall, when: number): Promise<KillRound> {
  return inScratchFolder(async (folder) => {
    const data = join(folder, 'data')
    const ledger = createLedger()
    const life = await startLife({ data, under: killedAt(data, call, when) })
    if (life.url !== undefined) await work(life.url, createAuthor(), ledger)
    const { signal } = await life.stop()
    const promised = ledger.promised.size
    return { survived: signal === null, promised, problems: await examineRestart(data, ledger) }
  })
}

/** What a relay leaves behind; when it was killed, a log with everything in it, and next to nothing of it in the database. */
export interface Remains {
  readonly data: string
  readonly ledger: Ledger
  dispose(): void
}

export async function leaveRemains(end: 'kill' | 'stop' = 'kill'): Promise<Remains> {
  const folder = makeScratchFolder()
  const data = join(folder, 'data')
  const ledger = createLedger()
  const life = await startLife({ data })
  if (life.url === undefined) throw new Error(`the relay does not start: ${life.errors()}`)
  await work(life.url, createAuthor(), ledger)
  await (end === 'kill' ? life.kill() : life.stop())
  return { data, ledger, dispose: () => removeFolder(folder) }
}

/** Killed once more while it starts on what is left of a killed one, or while it stops after that. */
export async function killAtRecovery(
  remains: Remains,
  call: DiskCall,
  when: number,
): Promise<KillRound> {
  return inScratchFolder(async (folder) => {
    const data = join(folder, 'data')
    cpSync(remains.data, data, { recursive: true })
    const ledger = remains.ledger.fork()
    const life = await startLife({ data, under: killedAt(data, call, when) })
    const { signal } = await life.stop()
    const promised = ledger.promised.size
    return { survived: signal === null, promised, problems: await examineRestart(data, ledger) }
  })
}
