import { describe, expect, onTestFinished, test } from 'vitest'
import { EMPTY_CONTENT, writeRegisters } from '../entity/index.js'
import type { ClientMessage, EntityState, RelayMessage } from '../protocol/index.js'
import { type ConfirmedEntity, createReplica, type OperationFailure } from '../replica/index.js'
import { createMemoryDisk, createMemoryStorage } from '../storage/index.js'
import { createPersistence } from './persistence.js'
import { createSpaceSync } from './space-sync.js'

const SPACE = 'team'
const LIMITS = { maxFrameBytes: 1e6, maxOperationBytes: 10_000, maxInFlight: 10 }

/** A space that is followed by hand: what the relay says is said here, and what is sent to it is looked at. */
async function follow() {
  const storage = createMemoryStorage({ disk: createMemoryDisk() })
  const opened = await storage.open(SPACE, () => 'replica')
  const replica = createReplica()
  const clock = { now: () => 0, schedule: () => () => undefined }
  const persistence = createPersistence(SPACE, storage, replica, clock, opened, {
    settled: () => undefined,
    committed: () => undefined,
    troubled: () => undefined,
    rebasing: () => undefined,
    displaced: () => undefined,
    writer: {
      client: () => 9,
      actor: () => 'ada/replica/9',
      hybridClock: { tick: () => 1, isBelievable: () => true },
    },
  })
  onTestFinished(() => persistence.close())
  const sent: ClientMessage[] = []
  const copies: { readonly entity: ConfirmedEntity; readonly reason: OperationFailure }[] = []
  let failures = 0
  let ids = 0
  const sync = createSpaceSync({
    space: SPACE,
    channel: 1,
    replica,
    persistence,
    clock,
    send: (message) => sent.push(message),
    fail: () => {
      failures += 1
    },
    observe: () => undefined,
    changed: () => undefined,
    freshClient: () => ({ client: 77, clients: [77] }),
    restamping: () => {
      throw new Error('no clock is wrong here')
    },
    newId: () => `op-${++ids}`,
    keepCopy: async (entity, reason) => void copies.push({ entity, reason }),
  })
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return {
    sync,
    replica,
    persistence,
    copies,
    failures: () => failures,
    async up(epoch = 'e-1') {
      sync.up(epoch, LIMITS)
      await settled()
    },
    async hear(...messages: readonly RelayMessage[]) {
      for (const message of messages) sync.receive(message)
      await settled()
      await settled()
    },
    /** What was sent since the last call. */
    sent: () => sent.splice(0),
    values: () => [...replica.confirmed()].map(({ id, view }) => [id, view.values['title']]).sort(),
  }
}

function state(id: string, sequence: number, title: string = id): EntityState {
  const { update } = writeRegisters(EMPTY_CONTENT, 5, [
    {
      kind: 'set',
      field: 'title',
      value: title,
      lastModified: 1,
      sequence: 1,
      actor: 'bob/r/5',
      supersedes: [],
    },
  ])
  return {
    collection: 'cards',
    id,
    generation: '0',
    confirmedSequence: sequence,
    sequence: 1,
    lastModified: 1,
    bytes: update,
  }
}

const page = (...entities: readonly EntityState[]): RelayMessage => ({
  type: 'page',
  channel: 1,
  entities,
})
const caughtUp = (sequence: number, horizon = 0): RelayMessage => ({
  type: 'caughtUp',
  channel: 1,
  sequence,
  horizon,
})

describe('a catch-up', () => {
  test('[SLOW-4] that was cut goes on behind what has come, and shows at once at its end', async () => {
    const { sync, up, hear, sent, values } = await follow()
    await up()
    await hear(page(state('a', 1)), caughtUp(1))
    sync.down()
    await up()
    await hear(page(state('b', 5)), page(state('c', 8)))
    sync.down()
    sent()
    await up()
    expect(sent().at(-1)).toMatchObject({ type: 'subscribe', since: 8, fresh: false })
    expect(values()).toEqual([['a', 'a']])
    await hear(page(state('d', 9)), caughtUp(9))
    expect(values().map(([id]) => id)).toEqual(['a', 'b', 'c', 'd'])
  })

  test('[L23] of a device that was away for too long is begun anew by the relay, and what is missing in it is gone', async () => {
    const { up, hear, values, sync, persistence } = await follow()
    await up()
    await hear(page(state('a', 1), state('b', 2)), caughtUp(2))
    sync.down()
    await up()
    await hear(page(state('c', 9)), { type: 'reset', channel: 1 }, page(state('b', 2)))
    expect(values().map(([id]) => id)).toEqual(['a', 'b'])
    await hear(page(state('c', 9)), caughtUp(9, 5))
    expect(values().map(([id]) => id)).toEqual(['b', 'c'])
    expect(persistence.space).toMatchObject({ checkpoint: 9, horizon: 5 })
  })

  test('[L22] from another life of the database is of everything, and is not mixed with that of the one before', async () => {
    const { sync, up, hear, sent } = await follow()
    await up()
    await hear(page(state('a', 1)), caughtUp(1))
    sync.down()
    await up('e-2')
    expect(sent().at(-1)).toMatchObject({ type: 'subscribe', since: 0, fresh: true })
    await hear(page(state('a', 4)))
    sync.down()
    await up('e-2')
    expect(sent().at(-1)).toMatchObject({ type: 'subscribe', since: 4, fresh: true })
    sync.down()
    await up('e-3')
    expect(sent().at(-1)).toMatchObject({ type: 'subscribe', since: 0, fresh: true })
  })
})

describe('what is handed back', () => {
  async function owing() {
    const followed = await follow()
    await followed.up()
    await followed.hear(page(state('a', 1, 'lost')), caughtUp(1))
    followed.sync.down()
    await followed.up('e-2')
    followed.sent()
    await followed.hear(caughtUp(0))
    const [message] = followed.sent()
    if (message?.type !== 'handBack') throw new Error('nothing is handed back')
    return { ...followed, id: message.operation.id, message }
  }

  test('[L22] goes out at once, with what it was, and counts once the relay has it', async () => {
    const { hear, message, id, replica, persistence } = await owing()
    expect(message.operation.parts).toMatchObject([{ id: 'a', kind: 'create', generation: '0' }])
    expect(replica.counts().owed).toBe(1)
    const digest = new Uint8Array(8)
    await hear({ type: 'ack', channel: 1, id, sequence: 1, digest })
    expect(replica.counts().owed).toBe(0)
    expect([...replica.confirmed()]).toMatchObject([{ id: 'a', confirmedSequence: 1 }])
    expect(persistence.space).toMatchObject({ epoch: 'e-2', checkpoint: 1 })
  })

  test('[L22] is waited for no longer once it is acknowledged: more than may be unanswered go out after one another', async () => {
    const { sync, up, hear, sent, replica } = await follow()
    const ids = Array.from({ length: 2 * LIMITS.maxInFlight + 5 }, (_, index) => `card-${index}`)
    await up()
    await hear(page(...ids.map((id, index) => state(id, index + 1))), caughtUp(ids.length))
    sync.down()
    await up('e-2')
    sent()
    await hear(caughtUp(0))
    const returned: string[] = []
    for (let sequence = 1; sequence <= ids.length; ) {
      const round = sent().flatMap((message) =>
        message.type === 'handBack' ? [message.operation] : [],
      )
      expect(round.length).toBeGreaterThan(0)
      for (const { id, parts } of round) {
        returned.push(...parts.map((part) => part.id))
        const digest = new Uint8Array(8)
        await hear({ type: 'ack', channel: 1, id, sequence, digest })
        sequence += 1
      }
    }
    expect(returned.sort()).toEqual(ids.sort())
    expect(replica.counts().owed).toBe(0)
  })

  test('[L22] is sent again under the same id after the link was lost', async () => {
    const { sync, up, hear, sent, id } = await owing()
    sync.down()
    await up('e-2')
    await hear(caughtUp(0))
    expect(sent().at(-1)).toMatchObject({ type: 'handBack', operation: { id } })
  })

  test('and refused for good leaves a copy for the person whose work it is, and what the relay has', async () => {
    const { hear, id, copies, replica, failures, persistence } = await owing()
    await hear({
      type: 'reject',
      channel: 1,
      id,
      code: 'forbidden',
      message: 'You may read only.',
      retryable: false,
      retryAfter: 0,
      serverTime: 0,
    })
    expect(copies).toMatchObject([
      { entity: { id: 'a', view: { values: { title: 'lost' } } }, reason: { code: 'forbidden' } },
    ])
    expect([...replica.confirmed()]).toEqual([])
    // The link is built anew, and everything read again.
    expect(failures()).toBe(1)
    expect(persistence.space.checkpoint).toBe(0)
  })

  test('[DUR-9] is what the relay asks for, and nothing changes when it wants it no longer', async () => {
    const { up, hear, sent, replica, copies } = await follow()
    await up()
    await hear(page(state('a', 1)), caughtUp(1))
    sent()
    const names = ['a', 'unknown'].map((id) => ({ collection: 'cards', id }))
    await hear({ type: 'wanted', channel: 1, entities: names })
    const [message, ...others] = sent()
    expect(others).toEqual([])
    expect(message).toMatchObject({ type: 'handBack', operation: { parts: [{ id: 'a' }] } })
    if (message?.type !== 'handBack') return
    await hear({
      type: 'reject',
      channel: 1,
      id: message.operation.id,
      code: 'forbidden',
      message: 'Nothing was lost here.',
      retryable: false,
      retryAfter: 0,
      serverTime: 0,
    })
    expect(replica.counts().owed).toBe(0)
    expect([...replica.confirmed()]).toMatchObject([{ id: 'a' }])
    expect(copies).toEqual([])
  })
})
