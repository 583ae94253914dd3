import { decodeContent, viewOf } from '@tidemark/core/entity'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { createMemoryDisk, createMemoryStorage, type RelayStorage } from '../storage/index.js'
import { DEFAULT_LIMITS } from './limits.js'
import { canonical, createModelReplica, type ModelReplica } from './model-replica.test-support.js'
import { createTestRelay, settled, type TestRelay } from './test-relay.test-support.js'

const REPLICAS = 3
const RUNS = 150
const ENTITIES = ['one', 'two', 'three', 'four', 'five']

type Action =
  | {
      readonly kind: 'write'
      readonly id: string
      readonly otherId: string | undefined
      readonly value: number
    }
  | { readonly kind: 'reconnect' | 'repeat' | 'retry' | 'stall' | 'drain' }

const entity = fc.constantFrom(...ENTITIES)
const action: fc.Arbitrary<readonly [number, Action]> = fc.tuple(
  fc.nat(REPLICAS - 1),
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('write' as const),
        id: entity,
        otherId: fc.option(entity, { nil: undefined, freq: 3 }),
        value: fc.nat(9),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ kind: 'reconnect' as const }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constantFrom('repeat', 'retry', 'stall', 'drain' as const) }),
    },
  ),
)

/** Nothing returns before the scheduler lets it: neither reads nor commits. */
function slowed(storage: RelayStorage, wait: (what: string) => Promise<void>): RelayStorage {
  return {
    ...storage,
    async entitiesSince(...parameters) {
      await wait('before a page')
      const page = await storage.entitiesSince(...parameters)
      await wait('after a page')
      return page
    },
    async operations(...parameters) {
      const found = await storage.operations(...parameters)
      await wait('after fates')
      return found
    },
  }
}

function perform(relay: TestRelay, replica: ModelReplica, step: Action): void {
  switch (step.kind) {
    case 'write':
      replica.write(step.id, step.otherId, step.value)
      break
    case 'stall':
      replica.stall(DEFAULT_LIMITS.pageLowWater + 1)
      break
    case 'drain':
      replica.stall(0)
      relay.clock.advance(1_000)
      break
    default:
      replica[step.kind]()
  }
}

async function quiesce(relay: TestRelay, replicas: readonly ModelReplica[]): Promise<void> {
  for (let round = 0; round < 20; round++) {
    for (const replica of replicas) {
      replica.stall(0)
      replica.retry()
    }
    await settled()
    relay.clock.advance(60_000)
    await settled()
    if (replicas.every(({ pending, isLive }) => pending === 0 && isLive)) return
  }
}

async function storedEntities(storage: RelayStorage): Promise<ReadonlyMap<string, Uint8Array>> {
  const page = await storage.entitiesSince('team', 0, { maxEntities: 1_000, maxBytes: 1e9 })
  expect(page.corrupt).toEqual([])
  return canonical(new Map(page.entities.map(({ ref, log }) => [ref.id, log])))
}

const valuesOf = (entities: ReadonlyMap<string, Uint8Array>) =>
  Object.fromEntries([...entities].map(([id, bytes]) => [id, viewOf(decodeContent(bytes))]))

let changesSeen = 0
let failures = 0

/** Runs the actions in any interleaving with reads and commits; commits fail as `outcomes` say. */
async function run(
  s: fc.Scheduler,
  actions: readonly (readonly [number, Action])[],
  outcomes: readonly ('commit' | 'fail' | 'crash')[],
): Promise<void> {
  let isOver = false
  let commits = 0
  const wait = (what: string): Promise<void> =>
    isOver ? Promise.resolve() : s.schedule(Promise.resolve(), what)
  const outcome = () => (isOver ? 'commit' : (outcomes[commits % outcomes.length] ?? 'commit'))
  const storage = createMemoryStorage({
    disk: createMemoryDisk('epoch-1'),
    async beforeCommit() {
      await wait('before a commit')
      if (outcome() !== 'fail') return
      commits += 1
      failures += 1
      throw new Error('EIO')
    },
    async afterCommit() {
      await wait('after a commit')
      const crashed = outcome() === 'crash'
      commits += 1
      if (crashed) throw new Error('lost the answer')
    },
  })
  const relay = createTestRelay({
    storage: slowed(storage, wait),
    limits: { pageEntities: 2, batchOperations: 3 },
  })
  const replicas = Array.from({ length: REPLICAS }, (_, index) => createModelReplica(relay, index))
  for (const replica of replicas) replica.reconnect()
  const steps = s.scheduleSequence(
    actions.map(([index, step]) => ({
      label: `${index} ${JSON.stringify(step)}`,
      builder: async () => {
        const replica = replicas[index]
        if (replica !== undefined) perform(relay, replica, step)
      },
    })),
  )
  await s.waitFor(steps.task)
  isOver = true
  await s.waitIdle()
  await quiesce(relay, replicas)

  const head = await storage.head('team')
  const stored = await storedEntities(storage)
  const newcomer = createModelReplica(relay, REPLICAS)
  newcomer.reconnect()
  await settled()
  for (const replica of [...replicas, newcomer]) {
    expect(replica.violations).toEqual([])
    expect([replica.pending, replica.isLive, replica.checkpoint]).toEqual([0, true, head])
    expect(valuesOf(replica.entities())).toEqual(valuesOf(stored))
    expect(replica.entities()).toEqual(stored)
    changesSeen += replica.changesSeen
  }
}

describe('catching up while others commit', () => {
  it('[L18] [L21] [CONV-1] shows every replica each sequence once and in order, and all converge', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(action, { minLength: 5, maxLength: 40 }),
        (s, actions) => run(s, actions, ['commit']),
      ),
      { numRuns: RUNS },
    )
  })

  it('[DUR-5] [DUR-7] also when commits fail, with and without having been written', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(action, { minLength: 5, maxLength: 40 }),
        fc.array(fc.constantFrom('commit', 'commit', 'fail', 'crash'), {
          minLength: 1,
          maxLength: 10,
        }),
        run,
      ),
      { numRuns: RUNS },
    )
  })

  afterAll(() => {
    // The runs did meet what they are about.
    expect(changesSeen).toBeGreaterThan(200)
    expect(failures).toBeGreaterThan(10)
  })
})
