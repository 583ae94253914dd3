import { parseArgs } from 'node:util'
import { damageAndServe } from './damage-round.js'
import { failAtWork } from './failing-round.js'
import { DISK_CALLS, type Fault } from './faults.js'
import { countCallsOf, killAtRecovery, killAtWork, leaveRemains } from './kill-round.js'
import { cutPowerEverywhere, type Life, recordLives } from './power-loss.js'

/**
 * The long suite: a kill at every call, every sync and many writes that fail, power cuts with other leftovers, bytes that
 * change. The kinds take turns until all are done or the time is over. Ends with the first violation and says how to get
 * there; `--seed` begins with other random choices.
 */
const { values } = parseArgs({
  // pnpm hands a separator through.
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
  },
})
const seed = Number(values.seed)
const deadline = Date.now() + Number(values.minutes) * 60_000

/** Below these a relay is still starting, or there are no such calls any more. */
const FAILING_SYNCS = 40
const FAILING_WRITES = { from: 30, to: 300, step: 7 }
const POWER_SEEDS = 50
const DAMAGES = 1_000

interface Round {
  readonly name: string
  run(): Promise<readonly string[]>
}

const killed = await leaveRemains()
const stopped = await leaveRemains('stop')
const calls = await countCallsOf(killed)

function* killsAtWork(): Generator<Round> {
  for (const call of DISK_CALLS) {
    for (let when = 1; when <= (calls.atWork.get(call) ?? 0); when++) {
      const run = async () => (await killAtWork(call, when)).problems
      yield { name: `killed at work, ${call} ${when}`, run }
    }
  }
}

function* killsAtRecovery(): Generator<Round> {
  for (const call of DISK_CALLS) {
    for (let when = 1; when <= (calls.atRecovery.get(call) ?? 0); when++) {
      const run = async () => (await killAtRecovery(killed, call, when)).problems
      yield { name: `killed while it recovers, ${call} ${when}`, run }
    }
  }
}

function* powerCuts(): Generator<Round> {
  const courses: readonly (readonly Life[])[] = [
    [{ end: 'stop' }],
    [{ end: 'kill' }, { end: 'stop' }],
    [{ end: 'stop', size: 'large' }],
  ]
  for (let power = seed; power < seed + POWER_SEEDS; power++) {
    for (const lives of courses) {
      const every = lives[0]?.size === 'large' ? 211 : 3
      const run = async () =>
        (await cutPowerEverywhere(await recordLives(...lives), { every, seed: power })).losses
      const course = lives.map(({ end, size = 'small' }) => `${end} ${size}`).join(', ')
      yield { name: `power cut, seed ${power}, ${course}`, run }
    }
  }
}

function* failedSyncs(): Generator<Round> {
  for (let when = 1; when <= FAILING_SYNCS; when++) {
    for (const size of ['small', 'large'] as const) {
      const run = async () => {
        const failing: Life = { end: 'kill', inject: `fsync:error=EIO:when=${when}`, size }
        const recording = await recordLives({ end: 'stop' }, failing, { end: 'stop' })
        const every = size === 'small' ? 3 : 211
        return (await cutPowerEverywhere(recording, { every, seed: seed + when })).losses
      }
      yield { name: `power cut after sync ${when} had failed, ${size}`, run }
    }
  }
}

function* failures(): Generator<Round> {
  for (let when = FAILING_WRITES.from; when < FAILING_WRITES.to; when += FAILING_WRITES.step) {
    for (const error of ['ENOSPC', 'EIO'] as const) {
      for (const passes of [true, false]) {
        const fault: Fault = {
          call: 'pwrite64',
          files: ['tidemark.db-wal', 'tidemark.db'],
          error,
          when: passes ? `${when}..${when + 1}` : `${when}+`,
        }
        const run = async () => (await failAtWork(fault, { passes })).problems
        yield { name: `${fault.call} fails with ${error}, ${fault.when}`, run }
      }
    }
  }
}

function* damages(): Generator<Round> {
  for (let damage = seed; damage < seed + DAMAGES; damage++) {
    const run = async () => (await damageAndServe(stopped, damage)).problems
    yield { name: `one byte changed, seed ${damage}`, run }
  }
}

const kinds = [killsAtWork(), powerCuts(), killsAtRecovery(), failedSyncs(), failures(), damages()]
const quick = new Set([kinds[0], kinds[2], kinds[5]])
const QUICK_ROUNDS = 5
let rounds = 0

/** @returns whether there are more rounds of the kind */
async function turn(kind: Generator<Round>): Promise<boolean> {
  for (let count = quick.has(kind) ? QUICK_ROUNDS : 1; count > 0; count--) {
    const next = kind.next()
    if (next.done === true) return false
    const { name, run } = next.value
    const problems = await run()
    rounds += 1
    if (rounds % 50 === 0) console.log(`${rounds} rounds, the last one: ${name}`)
    if (problems.length === 0) continue
    console.error(`${name}:\n${problems.slice(0, 20).join('\n')}`)
    process.exitCode = 1
    kinds.length = 0
    return false
  }
  return true
}

try {
  while (kinds.length > 0 && Date.now() < deadline) {
    const [kind] = kinds.splice(0, 1)
    if (kind !== undefined && (await turn(kind))) kinds.push(kind)
  }
} finally {
  killed.dispose()
  stopped.dispose()
}
console.log(`seed ${seed}: ${rounds} rounds${process.exitCode === 1 ? '' : ', nothing lost'}`)
