import { CLOSE_CODES, encodeClientMessage, type RelayMessage } from '@tidemark/core/protocol'
import { describe, expect, it } from 'vitest'
import type { Limits } from './limits.js'
import { NO_METRICS, type RelayMetrics } from './metrics.js'
import {
  createTestRelay,
  hello,
  settled,
  type TestConnection,
  type TestRelayOptions,
} from './test-relay.test-support.js'
import { createWriter } from './writer.test-support.js'

/** A relay with some limits, and which of them were hit. */
function start(limits: Partial<Limits>, options: TestRelayOptions = {}) {
  const hit: (keyof Limits)[] = []
  const metrics: RelayMetrics = { ...NO_METRICS, limitHit: (limit) => void hit.push(limit) }
  return { ...createTestRelay({ limits, metrics, ...options }), hit }
}

const outcomes = (messages: readonly RelayMessage[]): readonly string[] =>
  messages.map((message) => (message.type === 'reject' ? message.code : message.type))

describe('operations', () => {
  it('above the rate are refused for now, and taken once it is time', async () => {
    const { join, clock, hit } = start({ operationsPerSecond: 10, operationsBurst: 2 })
    const author = await join()
    const writer = createWriter()
    const [one, two, three] = [
      writer.write('one', { a: 1 }),
      writer.write('two', { a: 1 }),
      writer.write('three', { a: 1 }),
    ]
    for (const operation of [one, two, three]) author.push(operation)
    await settled()
    expect(author.take()).toMatchObject([
      { type: 'ack' },
      { type: 'ack' },
      { type: 'reject', code: 'rate-limited', retryable: true, retryAfter: 100 },
    ])
    expect(hit).toEqual(['operationsPerSecond'])
    expect(author.closed).toBeUndefined()
    clock.advance(100)
    author.push(three)
    await settled()
    expect(author.take()).toMatchObject([{ type: 'ack', sequence: 3 }])
  })

  it('of one user count together over all connections, those of others do not', async () => {
    const { join, hit } = start({ userOperationsPerSecond: 10, userOperationsBurst: 1 })
    const [first, second] = [await join(), await join({ replica: 'replica-b' })]
    const other = await join({ user: 'bo', replica: 'replica-c' })
    first.push(createWriter().write('one', { a: 1 }))
    second.push(createWriter({ replica: 'replica-b', client: 2 }).write('two', { a: 1 }))
    other.push(createWriter({ user: 'bo', replica: 'replica-c', client: 3 }).write('x', { a: 1 }))
    await settled()
    expect(outcomes(first.take())).toEqual(['ack'])
    expect(outcomes(second.take())).toEqual(['rate-limited'])
    expect(outcomes(other.take())).toEqual(['ack'])
    expect(hit).toEqual(['userOperationsPerSecond'])
  })

  it('[L10] that were accepted before are acknowledged again all the same', async () => {
    const { join } = start({ operationsPerSecond: 1, operationsBurst: 1 })
    const author = await join()
    const operation = createWriter().write('one', { a: 1 })
    author.push(operation)
    author.push(operation)
    await settled()
    expect(author.take()).toMatchObject([
      { type: 'ack', sequence: 1 },
      { type: 'ack', sequence: 1 },
    ])
  })

  it('[L20] [L23] behind a creation that was one too many wait for it, and are not gone', async () => {
    const { join, clock } = start({ operationsPerSecond: 10, operationsBurst: 1 })
    const author = await join()
    const writer = createWriter()
    author.push(createWriter({ client: 2 }).write('other', { a: 1 }))
    const [creation, update] = [writer.write('one', { a: 1 }), writer.write('one', { a: 2 })]
    author.push(creation)
    clock.advance(100)
    author.push(update)
    await settled()
    expect(outcomes(author.take())).toEqual(['ack', 'rate-limited', 'gap'])
    clock.advance(1_000)
    author.push(creation)
    await settled()
    clock.advance(1_000)
    author.push(update)
    await settled()
    expect(outcomes(author.take())).toEqual(['ack', 'ack'])
  })

  it('[S18] that make the relay go through much that is stored are paid for by those that follow', async () => {
    const { join, clock } = start({ userOperationsPerSecond: 100, userOperationsBurst: 10 })
    const author = await join()
    const writer = createWriter()
    const big = 'x'.repeat(64 * 1024)
    author.push(writer.write('one', { a: big }))
    await settled()
    // Each replaces as much as there is: a compaction every other time.
    let refused = 0
    for (let round = 0; round < 6; round++) {
      author.push(createWriter({ client: round + 2 }).write(`e${round}`, { a: 1 }))
      author.push(writer.write('one', { a: big + round }))
      await settled()
      refused += outcomes(author.take()).filter((code) => code === 'rate-limited').length
      if (refused > 0) break
    }
    expect(refused).toBeGreaterThan(0)
    clock.advance(10_000)
    author.push(createWriter({ client: 99 }).write('later', { a: 1 }))
    await settled()
    expect(outcomes(author.take())).toEqual(['ack'])
  })
})

describe('updates whose predecessor is missing', () => {
  it('[SEC-3] [F14] [S16] leave nothing behind, however many there are', async () => {
    const { join, disk } = start({})
    const author = await join()
    const writer = createWriter()
    author.push(writer.write('one', { a: 1 }))
    await settled()
    author.take()
    const before = structuredClone(disk.spaces.get('team'))
    writer.write('one', { a: 2 })
    let refused = 0
    for (let round = 0; round < 50; round++) {
      for (let index = 0; index < 200; index++) author.push(writer.write('one', { a: index }))
      await settled()
      refused += outcomes(author.take()).filter((code) => code === 'gap').length
    }
    // The last ones are one too many as well.
    expect(refused).toBe(9_999)
    expect(disk.spaces.get('team')).toEqual(before)
  })
})

describe('frames', () => {
  /** A connection that stops when it is told to, as a socket does. */
  function connectPausable({ relay }: ReturnType<typeof start>) {
    const calls: string[] = []
    let closed: number | undefined
    const session = relay.connect({
      bufferedBytes: 0,
      send: () => {},
      close: (code) => {
        closed = code
      },
      pause: () => void calls.push('pause'),
      resume: () => void calls.push('resume'),
    })
    session.receive(encodeClientMessage(hello()))
    return { session, calls, closed: () => closed }
  }

  it('above the rate are not read until they are paid for, and cost nobody the connection', async () => {
    const relay = start({ framesPerSecond: 10, framesBurst: 5 })
    const { session, calls, closed } = connectPausable(relay)
    await settled()
    const ping = encodeClientMessage({ type: 'ping', nonce: 1 })
    for (let nonce = 0; nonce < 3; nonce++) session.receive(ping)
    expect(calls).toEqual([])
    // What a socket has read already still comes.
    for (let nonce = 0; nonce < 11; nonce++) session.receive(ping)
    expect(calls).toEqual(['pause'])
    expect(relay.hit).toEqual(['framesPerSecond'])
    relay.clock.advance(1_000)
    expect(calls).toEqual(['pause'])
    relay.clock.advance(100)
    expect(calls).toEqual(['pause', 'resume'])
    expect(closed()).toBeUndefined()
  })

  it('count by their size', async () => {
    const relay = start({ framesPerSecond: 10, framesBurst: 32 })
    const { session, calls } = connectPausable(relay)
    await settled()
    const ids = Array.from({ length: 8_000 }, (_, index) => `operation-with-a-long-id-${index}`)
    session.receive(encodeClientMessage({ type: 'open', channel: 1, space: 'team' }))
    session.receive(encodeClientMessage({ type: 'fates', channel: 1, ids }))
    expect(calls).toEqual(['pause'])
  })
})

describe('catching up', () => {
  it('[SEC-14] over and over is done at the rate of the user, and others are not kept waiting', async () => {
    const { join, clock, hit } = start({
      catchUpBytesPerSecond: 64 * 1024,
      catchUpBurst: 256 * 1024,
    })
    const author = await join({ user: 'bo', replica: 'replica-b' })
    const writer = createWriter({ user: 'bo', replica: 'replica-b' })
    for (let id = 0; id < 20; id++) author.push(writer.write(`e${id}`, { a: 'x'.repeat(1_000) }))
    await settled()
    const greedy: TestConnection[] = []
    for (let time = 0; time < 30; time++) greedy.push(await join({ since: 0 }))
    const caughtUp = () =>
      greedy.filter(({ received }) => received.some(({ type }) => type === 'caughtUp')).length
    const first = caughtUp()
    expect(first).toBeGreaterThan(3)
    expect(first).toBeLessThan(10)
    expect(hit).toContain('catchUpBytesPerSecond')
    const other = await join({ user: 'cy', replica: 'replica-c', since: 0 })
    expect(other.received.some(({ type }) => type === 'caughtUp')).toBe(true)
    for (let second = 0; second < 120; second++) {
      clock.advance(1_000)
      await settled()
    }
    expect(caughtUp()).toBe(30)
    expect(greedy.every(({ closed }) => closed === undefined)).toBe(true)
  })
})

describe('connections', () => {
  it('of one user have a limit, which others do not feel', async () => {
    const { join, connect, hit } = start({ maxConnectionsPerUser: 2 })
    const [first] = [await join(), await join({ replica: 'replica-b' })]
    const third = connect()
    third.send(hello({ replica: 'replica-c' }))
    await settled()
    expect(third.closed?.code).toBe(CLOSE_CODES.overloaded)
    expect(hit).toEqual(['maxConnectionsPerUser'])
    const other = await join({ user: 'bo', replica: 'replica-d' })
    expect(other.closed).toBeUndefined()
    first.disconnect()
    const again = await join({ replica: 'replica-c' })
    expect(again.closed).toBeUndefined()
  })

  it('[NET-2] that are too many at once are told when to come back, and are let in then', async () => {
    const { connect, clock, hit } = start({ hellosPerSecond: 10, hellosBurst: 20 })
    const all = Array.from({ length: 100 }, () => connect())
    for (const [index, connection] of all.entries())
      connection.send(hello({ replica: `replica-${index}` }))
    await settled()
    const welcomed = all.filter(({ received }) => received[0]?.type === 'welcome')
    const sentAway = all.filter(({ received }) => received[0]?.type === 'goodbye')
    expect([welcomed.length, sentAway.length]).toEqual([20, 80])
    expect(sentAway.every(({ closed }) => closed?.code === CLOSE_CODES.overloaded)).toBe(true)
    const spreads = sentAway.map(({ received }) =>
      received[0]?.type === 'goodbye' ? received[0].spread : 0,
    )
    // Each one more is expected a tenth of a second later, with some room.
    expect(Math.max(...spreads)).toBe(80 * 150)
    expect(hit.filter((limit) => limit === 'hellosPerSecond')).toHaveLength(80)
    clock.advance(1_000)
    const back = connect()
    back.send(hello({ replica: 'replica-back' }))
    await settled()
    expect(back.received[0]?.type).toBe('welcome')
  })
})

describe('entities of a space', () => {
  it('have a limit, which deleted ones count towards and other spaces do not feel', async () => {
    const limits = { maxEntitiesPerSpace: 3 }
    const { join, disk, hit } = start(limits)
    const author = await join()
    const writer = createWriter()
    author.push(writer.write('one', { a: 1 }))
    author.push(writer.operation(writer.part('two', { a: 1 }), writer.part('three', { a: 1 })))
    author.push(writer.write('four', { a: 1 }))
    author.push(writer.write('one', { a: 2 }))
    await settled()
    expect(author.take()).toMatchObject([
      { type: 'ack' },
      { type: 'ack' },
      { type: 'reject', code: 'too-large', retryable: false },
      { type: 'ack' },
    ])
    expect(hit).toEqual(['maxEntitiesPerSpace'])
    const elsewhere = await join({ space: 'other', replica: 'replica-b' })
    elsewhere.push(createWriter({ replica: 'replica-b' }).write('four', { a: 1 }))
    await settled()
    expect(outcomes(elsewhere.take())).toEqual(['ack'])
    // Counted anew by a relay that starts.
    const again = await createTestRelay({ limits, disk }).join({ replica: 'replica-c' })
    again.push(createWriter({ replica: 'replica-c', client: 9 }).write('five', { a: 1 }))
    await settled()
    expect(outcomes(again.take())).toEqual(['too-large'])
  })

  it('are counted with what the same operation and the same commit make', async () => {
    const { join } = start({ maxEntitiesPerSpace: 3 })
    const author = await join()
    const writer = createWriter()
    author.push(writer.write('one', { a: 1 }))
    author.push(
      writer.operation(...['two', 'three', 'four'].map((id) => writer.part(id, { a: 1 }))),
    )
    await settled()
    expect(outcomes(author.take())).toEqual(['ack', 'too-large'])
  })
})
