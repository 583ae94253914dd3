import { join } from 'node:path'
import { seededRandom } from '../simulation/random.js'
import { inRepository } from '../support/repository.js'
import { createDiskModel, type Survival } from './disk-model.js'
import { examineFiles } from './examination.js'
import { recorded } from './faults.js'
import { createLedger, type Ledger } from './ledger.js'
import { createAuthor } from './operations.js'
import { createPromiseReader } from './promises-in-trace.js'
import { finishedTrace, startLife } from './relay-life.js'
import { inScratchFolder } from './scratch.js'
import { type DiskEvent, eventsIn } from './trace.js'
import { finish, type WorkSize, work } from './workload.js'

/** A relay's lives, one after the other on one disk, as far as the disk and its peers can tell. */
export interface Recording {
  readonly events: readonly DiskEvent[]
  readonly ledger: Ledger
}

export interface Life {
  readonly end: 'stop' | 'kill'
  /** An `inject` expression of strace. */
  readonly inject?: string
  /** Commits that don't wait for the disk: what the relay refuses to start with. */
  readonly relaxed?: boolean
  readonly size?: WorkSize
}

const RELAXED = inRepository('test/durability/relaxed-sync.mjs')

/**
 * Runs the lives for real, with what an earlier one left undone and work of their own, and writes down what they did. A life
 * that something is injected into may end before it listens, and need not get its work done.
 */
export function recordLives(...lives: readonly Life[]): Promise<Recording> {
  return inScratchFolder(async (folder) => {
    const data = join(folder, 'data')
    const ledger = createLedger()
    const author = createAuthor()
    const events: DiskEvent[] = []
    for (const [index, life] of lives.entries()) {
      const log = join(folder, `strace-${index}.log`)
      const relay = await startLife({
        data,
        under: recorded(log, life.inject),
        ...(life.relaxed === true ? { preload: RELAXED } : {}),
      })
      if (relay.url !== undefined) {
        if (ledger.open().length > 0) await finish(relay.url, ledger)
        await work(relay.url, author, ledger, life.size)
      } else if (life.inject === undefined) {
        throw new Error(`the relay does not start: ${relay.errors()}`)
      }
      await (life.end === 'stop' ? relay.stop() : relay.kill())
      events.push(...eventsIn(await finishedTrace(log, relay.pid), data))
    }
    return { events, ledger }
  })
}

/** Where the power could go, and what was wrong afterwards. */
export interface PowerLosses {
  readonly examined: number
  /** Promises that had been made at the last place that was examined. */
  readonly promised: number
  readonly losses: readonly string[]
}

export interface PowerLossOptions {
  /** At how many of the places also some of what was not synced survives. Every one-th: all of them. */
  readonly every?: number
  readonly seed?: number
}

/**
 * Cuts the power after each call that changed what is safe or what was promised, losing all that was not synced; and, with
 * some of that left, after every `every`-th call of any kind.
 */
export async function cutPowerEverywhere(
  { events, ledger }: Recording,
  { every = 1, seed = 1 }: PowerLossOptions = {},
): Promise<PowerLosses> {
  const disk = createDiskModel()
  const reader = createPromiseReader()
  const told = ledger.fork(new Map())
  const losses: string[] = []
  let examined = 0
  let known = ''

  async function examine(at: number, survival: Survival): Promise<void> {
    await inScratchFolder(async (folder) => {
      const data = join(folder, 'data')
      disk.cutPower(survival, data)
      const problems = await examineFiles(data, told.fork())
      losses.push(
        ...problems.map((problem) => `seed ${seed}, call ${at}, ${survival.kind} left: ${problem}`),
      )
      examined += 1
    })
  }

  for (const [at, event] of events.entries()) {
    disk.apply(event)
    if (event.kind === 'sent') for (const fate of reader.read(event)) told.promise(fate)
    const safe = `${disk.settled} ${told.promised.size}`
    if (safe !== known) await examine(at, { kind: 'nothing' })
    known = safe
    if (at % every === 0) {
      const random = seededRandom(seed * 1_000_003 + at)
      await examine(at, { kind: 'some', random: random.unit })
    }
  }
  return { examined, promised: told.promised.size, losses }
}
