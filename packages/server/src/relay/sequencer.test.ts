import { CLOSE_CODES, PROTOCOL_VERSION } from '@tidemark/core/protocol'
import { describe, expect, it } from 'vitest'
import type { RelayStorage } from '../storage/index.js'
import { createMemoryDisk, createMemoryStorage } from '../storage/index.js'
import { createGate, createTestRelay, settled } from './test-relay.test-support.js'
import { createWriter } from './writer.test-support.js'

const types = (messages: readonly { readonly type: string }[]) => messages.map(({ type }) => type)

describe('group commit', () => {
  it('[L18] [ORD-4] tells nobody anything before the commit has come back', async () => {
    const gate = createGate()
    const { join } = createTestRelay({ beforeCommit: gate.wait })
    const author = await join({ since: 0 })
    const reader = await join({ replica: 'replica-b', since: 0 })
    author.push(createWriter().write('one', { a: 1 }))
    await settled()
    expect(gate.waiting).toBe(1)
    expect([...author.take(), ...reader.take()]).toEqual([])
    await gate.release()
    expect(types(author.take())).toEqual(['ack'])
    expect(types(reader.take())).toEqual(['changes'])
  })

  it('[L18] not even when the commit is on disk but has not come back', async () => {
    const gate = createGate()
    const { join } = createTestRelay({ afterCommit: gate.wait })
    const author = await join({ since: 0 })
    const reader = await join({ replica: 'replica-b', since: 0 })
    author.push(createWriter().write('one', { a: 1 }))
    await settled()
    expect([...author.take(), ...reader.take()]).toEqual([])
    await gate.release()
    expect(types(author.take())).toEqual(['ack'])
  })

  it('gathers what comes during a commit for the next one', async () => {
    const gate = createGate()
    const { join } = createTestRelay({ beforeCommit: gate.wait })
    const connections = await Promise.all(
      Array.from({ length: 10 }, (_, index) => join({ replica: `replica-${index}` })),
    )
    const writers = connections.map((_, index) =>
      createWriter({ replica: `replica-${index}`, client: index + 1 }),
    )
    const pushAll = (values: { readonly a: number }) => {
      for (const [index, connection] of connections.entries()) {
        const operation = writers[index]?.write('one', values)
        if (operation !== undefined) connection.push(operation)
      }
    }
    pushAll({ a: 1 })
    await settled()
    pushAll({ a: 2 })
    pushAll({ a: 3 })
    await gate.release()
    expect(connections.flatMap((connection) => types(connection.take()))).toHaveLength(10)
    await gate.release()
    expect(connections.flatMap((connection) => types(connection.take()))).toHaveLength(20)
    expect(gate.waiting).toBe(0)
  })

  it('[L18] sends acknowledgements and changes in the order of sequences', async () => {
    const { connect, join } = createTestRelay()
    const seen: [string, number][] = []
    const authors = await Promise.all([join(), join({ replica: 'replica-b' })])
    const reader = connect((message) => {
      if (message.type === 'changes') seen.push([message.operation.id, message.sequence])
    })
    reader.send({
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      user: 'ada',
      token: '',
      replica: 'replica-c',
    })
    reader.send({ type: 'open', channel: 9, space: 'team' })
    reader.send({ type: 'subscribe', channel: 9, since: 0, fresh: false })
    await settled()
    const writers = [createWriter(), createWriter({ replica: 'replica-b', client: 2 })]
    const sent: string[] = []
    for (let round = 0; round < 20; round++) {
      const operation = writers[round % 2]?.write(`e${round % 3}`, { a: round })
      if (operation === undefined) continue
      sent.push(operation.id)
      authors[round % 2]?.push(operation)
    }
    await settled()
    expect(seen).toEqual(sent.map((id, index) => [id, index + 1]))
    for (const author of authors) {
      const sequences = author
        .take()
        .map((message) => ('sequence' in message ? message.sequence : 0))
      expect(sequences).toEqual([...sequences].sort((a, b) => a - b))
    }
  })

  it('takes at most so many operations and bytes at once', async () => {
    const gate = createGate()
    const { join } = createTestRelay({
      beforeCommit: gate.wait,
      limits: { batchOperations: 3, batchBytes: 5_000 },
    })
    const connection = await join()
    const writer = createWriter()
    for (let index = 0; index < 4; index++)
      connection.push(writer.write(`small-${index}`, { a: 1 }))
    for (let index = 0; index < 2; index++) {
      connection.push(writer.write(`large-${index}`, { a: 'x'.repeat(4_000) }))
    }
    const sizes: number[] = []
    await settled()
    while (gate.waiting > 0) {
      await gate.release()
      sizes.push(connection.take().length)
    }
    expect(sizes).toEqual([3, 2, 1])
  })

  it('takes a single operation that is larger than a batch', async () => {
    const { join } = createTestRelay({ limits: { batchBytes: 10 } })
    const connection = await join()
    connection.push(createWriter().write('one', { a: 'x'.repeat(100) }))
    await settled()
    expect(types(connection.take())).toEqual(['ack'])
  })

  it('gives the two tabs of a replica everything: the one that pushed an ack, the other one changes', async () => {
    const { join } = createTestRelay()
    const [tab, otherTab] = [await join({ since: 0 }), await join({ since: 0 })]
    const operation = createWriter().write('one', { a: 1 })
    tab.push(operation)
    await settled()
    expect(tab.take()).toMatchObject([{ type: 'ack', sequence: 1 }])
    expect(otherTab.take()).toEqual([{ type: 'changes', channel: 1, sequence: 1, operation }])
  })

  it('tells a space nothing of another space', async () => {
    const { join } = createTestRelay()
    const here = await join({ since: 0 })
    const elsewhere = await join({ replica: 'replica-b', space: 'other', since: 0 })
    here.push(createWriter().write('one', { a: 1 }))
    await settled()
    expect(elsewhere.take()).toEqual([])
  })
})

describe('the fate of an operation', () => {
  it('[L10] that still waits in the queue is the one that it is about to have', async () => {
    const gate = createGate()
    const { join } = createTestRelay({ beforeCommit: gate.wait })
    const writer = createWriter()
    const lost = await join()
    const [first, second] = [writer.write('one', { a: 1 }), writer.write('one', { a: 2 })]
    lost.push(first)
    await settled()
    lost.push(second)
    lost.disconnect()
    const again = await join()
    again.send({ type: 'fates', channel: 1, ids: [first.id, second.id] })
    await settled()
    expect(again.take()).toEqual([])
    await gate.release()
    await gate.release()
    expect(again.take().at(-1)).toMatchObject({
      type: 'fates',
      fates: [
        { id: first.id, sequence: 1 },
        { id: second.id, sequence: 2 },
      ],
    })
  })
})

describe('a failing storage', () => {
  it('[DUR-5] acknowledges nothing, has no effect, and the relay says that it is not ready', async () => {
    const gate = createGate()
    const { join, relay, disk } = createTestRelay({ beforeCommit: gate.wait })
    const author = await join()
    const reader = await join({ replica: 'replica-b', since: 0 })
    const writer = createWriter()
    author.push(writer.write('one', { a: 1 }))
    author.push(writer.write('two', { a: 1 }))
    await settled()
    await gate.release(new Error('EIO'))
    expect(author.take()).toMatchObject([
      { type: 'reject', code: 'unavailable', retryable: true, retryAfter: 250 },
      { type: 'reject', code: 'unavailable', retryable: true, retryAfter: 250 },
    ])
    expect(reader.take()).toEqual([])
    expect(disk.spaces.size).toBe(0)
    expect(relay.ready()).toEqual({ ready: false, reason: 'storage-failing' })
  })

  it('[DUR-5] is not tried on behalf of clients until a probe has gone through', async () => {
    const gate = createGate()
    const { join, relay, clock } = createTestRelay({ beforeCommit: gate.wait })
    const author = await join()
    const writer = createWriter()
    const operation = writer.write('one', { a: 1 })
    author.push(operation)
    await settled()
    await gate.release(new Error('EIO'))
    author.take()

    author.push(operation)
    await settled()
    expect(gate.waiting).toBe(0)
    expect(author.take()).toMatchObject([{ type: 'reject', code: 'unavailable' }])

    clock.advance(250)
    await settled()
    await gate.release(new Error('EIO'))
    expect(relay.ready().ready).toBe(false)
    clock.advance(250)
    await settled()
    expect(gate.waiting).toBe(0)

    clock.advance(250)
    await settled()
    await gate.release()
    expect(relay.ready()).toEqual({ ready: true })
    author.push(operation)
    await settled()
    await gate.release()
    expect(author.take()).toMatchObject([{ type: 'ack', sequence: 1 }])
  })

  it('[DUR-5] still answers pings, fates and catch-ups', async () => {
    const gate = createGate()
    const { join } = createTestRelay({ beforeCommit: gate.wait })
    const author = await join()
    author.push(createWriter().write('one', { a: 1 }))
    await settled()
    await gate.release(new Error('EIO'))
    author.take()
    author.send({ type: 'subscribe', channel: 1, since: 0, fresh: false })
    author.send({ type: 'fates', channel: 1, ids: ['x'] })
    author.send({ type: 'ping', nonce: 1 })
    await settled()
    expect(types(author.take()).sort()).toEqual(['caughtUp', 'fates', 'pong'])
  })

  it('[DUR-7] that committed without saying so is found out when the operation is sent again', async () => {
    let fail = true
    const { join, clock } = createTestRelay({
      afterCommit: () => (fail ? Promise.reject(new Error('power')) : Promise.resolve()),
    })
    const author = await join()
    const writer = createWriter()
    const [first, second] = [writer.write('one', { a: 1 }), writer.write('one', { a: 2 })]
    author.push(first)
    await settled()
    expect(author.take()).toMatchObject([{ type: 'reject', code: 'unavailable' }])
    fail = false
    clock.advance(60_000)
    await settled()
    // What is cached of the entity must not be older than the disk: `second` follows `first`.
    author.push(first)
    author.push(second)
    await settled()
    expect(author.take()).toMatchObject([
      { type: 'ack', sequence: 1 },
      { type: 'ack', sequence: 2 },
    ])
  })

  it('forgets what it knew of the entities of a transaction that failed', async () => {
    const gate = createGate()
    const { join, clock } = createTestRelay({ beforeCommit: gate.wait })
    const author = await join()
    const writer = createWriter()
    const [first, second] = [writer.write('one', { a: 1 }), writer.write('one', { a: 2 })]
    author.push(first)
    await settled()
    await gate.release(new Error('EIO'))
    clock.advance(250)
    await settled()
    await gate.release()
    author.take()
    author.push(second)
    await settled()
    while (gate.waiting > 0) await gate.release()
    expect(author.take()).toMatchObject([{ type: 'reject', code: 'gap' }])
  })

  it('[L20] [L23] does not turn what was sent ahead into something that is gone', async () => {
    const gate = createGate()
    const { join, clock } = createTestRelay({ beforeCommit: gate.wait })
    const author = await join()
    const other = await join({ replica: 'replica-b' })
    const writer = createWriter()
    const [create, update] = [writer.write('one', { a: 1 }), writer.write('one', { a: 2 })]
    author.push(create)
    await settled()
    await gate.release(new Error('EIO'))
    clock.advance(250)
    await settled()
    await gate.release()
    author.push(update)
    const stray = createWriter({ replica: 'replica-b', client: 2 }).part('one', { b: 1 })
    other.push({ id: 'stray', parts: [{ ...stray, kind: 'update' }] })
    author.push(create)
    author.push(update)
    await settled()
    while (gate.waiting > 0) await gate.release()
    expect(author.take()).toMatchObject([
      { type: 'reject', code: 'unavailable', retryable: true },
      { type: 'reject', code: 'gap', retryable: true },
      { type: 'ack', sequence: 1 },
      { type: 'ack', sequence: 2 },
    ])
    expect(other.take()).toMatchObject([{ type: 'reject', code: 'gone', retryable: false }])
  })

  it('[L18] leaves nobody with a gap: who missed a commit that was reported as failed catches up', async () => {
    let fail = true
    const { join, clock } = createTestRelay({
      afterCommit: () => (fail ? Promise.reject(new Error('power')) : Promise.resolve()),
    })
    const reader = await join({ replica: 'replica-b', since: 0 })
    const elsewhere = await join({ replica: 'replica-b', space: 'other', since: 0 })
    const author = await join()
    author.push(createWriter().write('one', { a: 1 }))
    await settled()
    expect(reader.closed).toBeUndefined()
    fail = false
    clock.advance(60_000)
    await settled()
    expect(reader.closed?.code).toBe(CLOSE_CODES.overloaded)
    expect(elsewhere.closed).toBeUndefined()
  })

  it('asks for the head of no space whose listeners have gone', async () => {
    const asked: string[] = []
    const memory = createMemoryStorage({ disk: createMemoryDisk('epoch-1') })
    let fail = false
    const storage: RelayStorage = {
      ...memory,
      transaction: (work) => (fail ? Promise.reject(new Error('EIO')) : memory.transaction(work)),
      head: (space) => {
        asked.push(space)
        return memory.head(space)
      },
    }
    const { join, relay, clock } = createTestRelay({ storage })
    const [stays, leaves, author] = [
      await join({ space: 'here', since: 0 }),
      await join({ space: 'there', since: 0 }),
      await join(),
    ]
    leaves.disconnect()
    asked.length = 0
    fail = true
    author.push(createWriter().write('one', { a: 1 }))
    await settled()
    fail = false
    clock.advance(250)
    await settled()
    expect(relay.ready()).toEqual({ ready: true })
    expect(asked).toEqual(['here'])
    expect(stays.closed).toBeUndefined()
  })

  it('[O9] stops probing when the relay stops', async () => {
    const probes: string[] = []
    const disk = createMemoryDisk('epoch-1')
    const failing: RelayStorage = {
      ...createMemoryStorage({ disk }),
      transaction: () => {
        probes.push('transaction')
        return Promise.reject(new Error('EIO'))
      },
    }
    const { join, relay, clock } = createTestRelay({ storage: failing })
    const author = await join()
    author.push(createWriter().write('one', { a: 1 }))
    await settled()
    await relay.stop()
    clock.advance(3_600_000)
    await settled()
    expect(probes).toEqual(['transaction'])
  })
})
