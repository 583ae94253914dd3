import { compactUpdate, mergeUpdates } from '@tidemark/core/entity'
import { PROTOCOL_VERSION } from '@tidemark/core/protocol'
import { openSqliteStorage } from '@tidemark/server'
import { percentile } from '../bench/measure.js'
import { type SeededRandom, seededRandom } from '../simulation/random.js'
import { type RelayCommand, startRelayCommand } from '../support/relay-command.js'
import { connectWire, createWireWriter, joinWire, type WireClient } from '../support/wire-client.js'
import { createFrameMaker } from './frames.js'

export interface AttackOptions {
  readonly seed: number
  readonly frames: number
}

/** What an attack did, and what others noticed of it. Times are milliseconds. */
export interface AttackReport {
  readonly seed: number
  readonly frames: number
  /** Connections that the relay closed, by code. */
  readonly closedByCode: Readonly<Record<string, number>>
  /** Operations of attackers that were valid after all, as they were told. */
  readonly accepted: number
  readonly refused: number
  /** From a push of somebody who has nothing to do with it to its acknowledgement. */
  readonly quiet: Latencies
  readonly attacked: Latencies
  /** How late the relay's event loop was at most while it was attacked, as its metrics tell. */
  readonly eventLoopLag: { readonly p99: number; readonly max: number }
  readonly memoryGrowth: number
  /** What must not have happened; empty when all is well. */
  readonly violations: readonly string[]
}

interface Latencies {
  readonly p50: number
  readonly p99: number
}

/** Attackers that work at once. */
const ATTACKERS = 8
const MOST_FRAMES_AT_ONCE = 12
const QUIET_PUSHES = 200
/** So that frames get past the doors that are meant to keep such clients out. */
const LIMITS = {
  hellosPerSecond: 1_000_000,
  hellosBurst: 1_000_000,
  framesPerSecond: 1_000_000,
  framesBurst: 1_000_000,
}
const SPACE = 'bystanders'

/** Sends hostile frames to a relay in a process of its own over real websockets, and looks at what is left of it. */
export async function attack({ seed, frames }: AttackOptions): Promise<AttackReport> {
  const relay = await startRelayCommand({ limits: LIMITS })
  try {
    const random = seededRandom(seed)
    const bystander = await createBystander(relay)
    const quiet = await bystander.push(QUIET_PUSHES)
    const before = await relay.metrics()
    const closedByCode: Record<string, number> = {}
    const outcome = { accepted: 0, refused: 0 }
    let left = frames
    let attacking = true

    const take = (): number => {
      const count = Math.min(left, 1 + random.below(MOST_FRAMES_AT_ONCE))
      left -= count
      return count
    }
    async function attacker(own: SeededRandom, index: number): Promise<void> {
      for (let count = take(); count > 0; count = take()) {
        const client = await connectWire(relay.webSocketUrl)
        const code = await burst(client, own, `${index}`, count)
        closedByCode[code] = (closedByCode[code] ?? 0) + 1
        for (const message of client.received) {
          if (message.type === 'ack') outcome.accepted += 1
          if (message.type === 'reject') outcome.refused += 1
        }
      }
    }
    async function others(): Promise<readonly number[]> {
      const times: number[] = []
      while (attacking) times.push(...(await bystander.push(10)))
      return times
    }
    const watching = others()
    await Promise.all(
      Array.from({ length: ATTACKERS }, (_, index) => attacker(random.fork(), index)),
    )
    attacking = false
    const attacked = await watching

    const after = await relay.metrics()
    const memoryGrowth =
      of(after, 'process_resident_memory_bytes') - of(before, 'process_resident_memory_bytes')
    const violations: string[] = []
    if (!bystander.isOpen) violations.push('a bystander lost its connection')
    if (!relay.isRunning) violations.push('the relay died')
    if (of(after, 'tidemark_ready') !== 1) violations.push('the relay is not ready')
    if (of(after, 'tidemark_storage_failures_total') !== 0) violations.push('the storage failed')
    const accepted = of(after, 'tidemark_operations_total{verdict="accepted"}')
    const faults = relay
      .logged()
      .filter(({ msg }) => ['a session failed', 'a read failed', 'an answer failed'].includes(msg))
    if (faults.length > 0) violations.push(`something failed inside: ${JSON.stringify(faults[0])}`)
    await relay.stop()
    violations.push(...(await lookInside(relay, bystander.pushed, accepted)))
    return {
      seed,
      frames,
      closedByCode,
      ...outcome,
      quiet: latencies(quiet),
      attacked: latencies(attacked),
      eventLoopLag: {
        p99: of(after, 'tidemark_event_loop_lag_seconds{quantile="0.99"}') * 1_000,
        max: of(after, 'tidemark_event_loop_lag_seconds{quantile="1"}') * 1_000,
      },
      memoryGrowth,
      violations,
    }
  } finally {
    await relay.dispose()
  }
}

/** Sends some frames on one connection and waits until they are dealt with. */
async function burst(
  client: WireClient,
  random: SeededRandom,
  name: string,
  count: number,
): Promise<string> {
  const identity = { user: `eve-${name}`, replica: `replica-${random.below(1_000_000)}-x` }
  if (random.chance(0.8)) {
    client.send({ type: 'hello', protocol: PROTOCOL_VERSION, token: '', ...identity })
    client.send({ type: 'open', channel: 1, space: `fuzz-${random.below(3)}` })
  }
  const frames = createFrameMaker(random, identity)
  for (let index = 0; index < count; index++) client.sendBytes(frames.next())
  const nonce = 4_711
  client.send({ type: 'ping', nonce })
  try {
    await client.until('pong', (pong) => pong.nonce === nonce)
    client.socket.close(1000)
  } catch {
    // It was closed instead.
  }
  return String((await client.closed).code)
}

interface Bystander {
  readonly isOpen: boolean
  readonly pushed: number
  /** One after the other; returns how long each took. */
  push(count: number): Promise<readonly number[]>
}

async function createBystander(relay: RelayCommand): Promise<Bystander> {
  const author = { user: 'ada', replica: 'replica-a' }
  const client = await joinWire(relay.webSocketUrl, author, SPACE)
  const reader = await joinWire(relay.webSocketUrl, { user: 'bo', replica: 'replica-b' }, SPACE)
  const writer = createWireWriter(author, 1, 'bystander')
  let pushed = 0
  return {
    get isOpen() {
      return client.isOpen && reader.isOpen
    },
    get pushed() {
      return pushed
    },
    async push(count) {
      const times: number[] = []
      for (let index = 0; index < count; index++) {
        const operation = writer.write(`card-${pushed % 10}`, pushed)
        pushed += 1
        const start = performance.now()
        client.send({ type: 'push', channel: 1, operation })
        await client.until('ack', ({ id }) => id === operation.id)
        times.push(performance.now() - start)
        await reader.until('changes', ({ sequence }) => sequence === pushed)
      }
      return times
    },
  }
}

/** Everything that is stored was acknowledged, is readable, and nothing of others is among the bystanders'. */
async function lookInside(
  relay: RelayCommand,
  pushed: number,
  accepted: number,
): Promise<readonly string[]> {
  const violations: string[] = []
  const storage = openSqliteStorage({ directory: relay.data })
  try {
    const spaces = [SPACE, 'fuzz-0', 'fuzz-1', 'fuzz-2']
    let stored = 0
    for (const space of spaces) {
      const head = await storage.head(space)
      stored += head
      if (space === SPACE && head !== pushed) violations.push(`${head} rows instead of ${pushed}`)
      let since = 0
      for (let complete = false; !complete; ) {
        const page = await storage.entitiesSince(space, since, { maxEntities: 100, maxBytes: 1e6 })
        for (const { log } of page.entities) compactUpdate(mergeUpdates(log))
        if (page.corrupt.length > 0) violations.push(`${space} has damaged entities`)
        complete = page.complete
        since = page.through
      }
    }
    // A renewal takes a sequence, too; small documents like these are never renewed.
    if (stored !== accepted) violations.push(`${stored} rows are stored, ${accepted} were accepted`)
    const totals = await storage.totals()
    if (totals.spaces > spaces.length) violations.push(`there are ${totals.spaces} spaces`)
  } catch (error) {
    violations.push(`the database can't be read: ${String(error)}`)
  } finally {
    await storage.close()
  }
  return violations
}

function of(metrics: ReadonlyMap<string, number>, name: string): number {
  return metrics.get(name) ?? 0
}

function latencies(times: readonly number[]): Latencies {
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) }
}
