import { CLOSE_CODES, encodeClientMessage, PROTOCOL_VERSION } from '@tidemark/core/protocol'
import { describe, expect, it } from 'vitest'
import type { Log } from '../log.js'
import { silentLog } from '../log.js'
import { DEFAULT_LIMITS } from './limits.js'
import { createGate, createTestRelay, hello, settled } from './test-relay.test-support.js'
import { createWriter } from './writer.test-support.js'

describe('the hello', () => {
  it('is answered with a welcome that tells epoch, time and limits', async () => {
    const { connect, clock } = createTestRelay()
    const connection = connect()
    connection.send(hello())
    await settled()
    expect(connection.received).toEqual([
      {
        type: 'welcome',
        protocol: PROTOCOL_VERSION,
        epoch: 'epoch-1',
        serverTime: clock.now(),
        user: 'ada',
        limits: {
          maxFrameBytes: DEFAULT_LIMITS.maxFrameBytes,
          maxOperationBytes: DEFAULT_LIMITS.maxOperationBytes,
          maxInFlight: DEFAULT_LIMITS.maxInFlight,
        },
        tokenExpiresAt: 0,
      },
    ])
    expect(connection.closed).toBeUndefined()
  })

  it.each([
    ['open', encodeClientMessage({ type: 'open', channel: 1, space: 'team' })],
    ['ping', encodeClientMessage({ type: 'ping', nonce: 1 })],
    ['nothing', new Uint8Array()],
    ['a cut hello', encodeClientMessage(hello()).subarray(0, 6)],
    ['a hello with something after it', Uint8Array.from([...encodeClientMessage(hello()), 0])],
  ])('[S9] must come first: %s closes the connection', async (_name, frame) => {
    const { connect, disk } = createTestRelay()
    const connection = connect()
    connection.sendBytes(frame)
    connection.send(hello())
    await settled()
    expect(connection.closed?.code).toBe(CLOSE_CODES.protocolViolation)
    expect(connection.received).toEqual([])
    expect(disk.spaces.size).toBe(0)
  })

  it('[S9] may have 8 kB and no more', async () => {
    const { connect } = createTestRelay()
    const fits = connect()
    fits.send(hello({ token: 'x'.repeat(8000) }))
    const tooLarge = connect()
    tooLarge.send(hello({ token: 'x'.repeat(9000) }))
    await settled()
    expect(fits.closed).toBeUndefined()
    expect(tooLarge.closed?.code).toBe(CLOSE_CODES.protocolViolation)
  })

  it('[S9] must come within five seconds', () => {
    const { connect, clock } = createTestRelay()
    const connection = connect()
    clock.advance(4_999)
    expect(connection.closed).toBeUndefined()
    clock.advance(1)
    expect(connection.closed?.code).toBe(CLOSE_CODES.greetingTimeout)
  })

  it('[S9] counts the time of authentication too, and other messages do not prolong it', async () => {
    const { connect, clock } = createTestRelay({ authenticate: () => new Promise(() => {}) })
    const connection = connect()
    clock.advance(4_000)
    connection.send(hello())
    connection.send({ type: 'ping', nonce: 1 })
    await settled()
    clock.advance(1_000)
    expect(connection.closed?.code).toBe(CLOSE_CODES.greetingTimeout)
  })

  it('leaves no deadline behind once it is answered', async () => {
    const { join, clock } = createTestRelay()
    const connection = await join()
    clock.advance(60_000)
    expect(connection.closed).toBeUndefined()
  })

  it.each([
    [0, 'reload'],
    [PROTOCOL_VERSION + 1, 'update the relay'],
  ])('[WIRE-2] of protocol version %i is refused with what to do', async (protocol, remedy) => {
    const { connect } = createTestRelay()
    const connection = connect()
    connection.send(hello({ protocol }))
    await settled()
    expect(connection.closed?.code).toBe(CLOSE_CODES.incompatible)
    expect(connection.closed?.reason).toContain(remedy)
  })

  it('[WIRE-2] of another version is understood as such whatever follows the version', async () => {
    const { connect } = createTestRelay()
    const connection = connect()
    connection.sendBytes(Uint8Array.of(0, PROTOCOL_VERSION + 1, 255, 255, 255))
    await settled()
    expect(connection.closed?.code).toBe(CLOSE_CODES.incompatible)
  })

  it.each([
    { user: '' },
    { user: 'a/b' },
    { user: '__proto__' },
    { replica: 'abc' },
    { replica: 'a/b/c' },
    { replica: 'x'.repeat(65) },
  ])('with %o is malformed', async (overrides) => {
    const { connect } = createTestRelay()
    const connection = connect()
    connection.send(hello(overrides))
    await settled()
    expect(connection.closed?.code).toBe(CLOSE_CODES.protocolViolation)
  })

  it('comes once', async () => {
    const { join } = createTestRelay()
    const connection = await join()
    connection.send(hello())
    expect(connection.closed?.code).toBe(CLOSE_CODES.protocolViolation)
  })
})

describe('authentication', () => {
  it('[SEC-5] decides who the user is: a hello in the name of somebody else is refused', async () => {
    const { connect } = createTestRelay({
      authenticate: ({ token }) => (token === 'secret' ? 'grace' : undefined),
    })
    const [forged, honest] = [connect(), connect()]
    forged.send(hello({ user: 'ada', token: 'secret' }))
    honest.send(hello({ user: 'grace', token: 'secret' }))
    await settled()
    expect(forged.closed?.code).toBe(CLOSE_CODES.unauthorized)
    expect(forged.received).toEqual([])
    expect(honest.received).toMatchObject([{ type: 'welcome', user: 'grace' }])
  })

  it('closes with 4401 whom it does not know', async () => {
    const { connect } = createTestRelay({ authenticate: async () => undefined })
    const connection = connect()
    connection.send(hello())
    await settled()
    expect(connection.closed?.code).toBe(CLOSE_CODES.unauthorized)
    expect(connection.received).toEqual([])
  })

  it('that fails itself is no verdict on the user: the client comes back later', async () => {
    const { connect } = createTestRelay({
      authenticate: () => Promise.reject(new Error('the directory is down')),
    })
    const connection = connect()
    connection.send(hello())
    await settled()
    expect(connection.closed?.code).toBe(CLOSE_CODES.overloaded)
  })

  it('lets what was sent meanwhile wait, and then answers in order', async () => {
    const gate = createGate()
    const { connect } = createTestRelay({ authenticate: () => gate.wait().then(() => 'ada') })
    const connection = connect()
    connection.send(hello())
    connection.send({ type: 'open', channel: 1, space: 'team' })
    connection.send({ type: 'ping', nonce: 7 })
    await settled()
    expect(connection.received).toEqual([])
    await gate.release()
    expect(connection.received.map(({ type }) => type)).toEqual(['welcome', 'opened', 'pong'])
  })

  it('[S9] keeps no more than 8 kB from somebody unknown', async () => {
    const { connect } = createTestRelay({ authenticate: () => new Promise(() => {}) })
    const connection = connect()
    connection.send(hello())
    for (let index = 0; index < 2_731; index++) connection.send({ type: 'ping', nonce: 300 })
    expect(connection.closed?.code).toBe(CLOSE_CODES.protocolViolation)
  })
})

describe('a message', () => {
  it.each([
    ['for a channel that is not open', { type: 'subscribe', channel: 2, since: 0, fresh: false }],
    ['that opens a space with a malformed name', { type: 'open', channel: 2, space: '../etc' }],
    ['that opens a space twice', { type: 'open', channel: 2, space: 'team' }],
    ['that gives a channel twice', { type: 'open', channel: 1, space: 'other' }],
  ] as const)('%s closes the connection', async (_name, message) => {
    const { join } = createTestRelay()
    const connection = await join()
    connection.send(message)
    expect(connection.closed?.code).toBe(CLOSE_CODES.protocolViolation)
  })

  it('that subscribes twice closes the connection', async () => {
    const { join } = createTestRelay()
    const connection = await join({ since: 0 })
    connection.send({ type: 'subscribe', channel: 1, since: 0, fresh: false })
    expect(connection.closed?.code).toBe(CLOSE_CODES.protocolViolation)
  })

  it('[S1] that is malformed closes its connection only', async () => {
    const { join } = createTestRelay()
    const attacker = await join()
    const bystander = await join({ replica: 'replica-b' })
    attacker.sendBytes(Uint8Array.of(200, 1, 2, 3))
    expect(attacker.closed?.code).toBe(CLOSE_CODES.protocolViolation)
    bystander.send({ type: 'ping', nonce: 1 })
    expect(bystander.take()).toMatchObject([{ type: 'pong', nonce: 1 }])
  })

  it('[S4] larger than a frame may be closes the connection', async () => {
    const { join } = createTestRelay({ limits: { maxFrameBytes: 1_000 } })
    const connection = await join()
    connection.sendBytes(new Uint8Array(1_001))
    expect(connection.closed?.code).toBe(CLOSE_CODES.protocolViolation)
  })

  it('after the close has no effect', async () => {
    const { join, disk } = createTestRelay()
    const connection = await join()
    connection.sendBytes(Uint8Array.of(200))
    connection.push(createWriter().write('one', { title: 'Hi' }))
    await settled()
    expect(disk.spaces.size).toBe(0)
  })

  it('makes no space: opening and reading leave nothing behind [S10]', async () => {
    const { join, disk } = createTestRelay()
    const connection = await join({ since: 0 })
    connection.send({ type: 'fates', channel: 1, ids: ['one'] })
    await settled()
    expect(disk.spaces.size).toBe(0)
  })

  it('is answered after the ones before it', async () => {
    const gate = createGate()
    const { join } = createTestRelay({ beforeCommit: gate.wait })
    const connection = await join()
    const writer = createWriter()
    const [first, second] = [writer.write('one', { a: 1 }), writer.write('one', { a: 2 })]
    connection.push(first)
    connection.send({ type: 'ping', nonce: 1 })
    connection.send({ type: 'fates', channel: 1, ids: [first.id, second.id] })
    connection.push(second)
    connection.send({ type: 'ping', nonce: 2 })
    await settled()
    expect(connection.take()).toEqual([])
    while (gate.waiting > 0) await gate.release()
    expect(
      connection.take().map((message) => [message.type, 'nonce' in message && message.nonce]),
    ).toEqual([
      ['ack', false],
      ['ack', false],
      ['pong', 1],
      ['fates', false],
      ['pong', 2],
    ])
  })
})

describe('limits', () => {
  it('cut a connection with more operations unanswered than it was told', async () => {
    const gate = createGate()
    const { join } = createTestRelay({ limits: { maxInFlight: 2 }, beforeCommit: gate.wait })
    const connection = await join()
    const writer = createWriter()
    connection.push(writer.write('one', { a: 1 }))
    connection.push(writer.write('one', { a: 2 }))
    expect(connection.closed).toBeUndefined()
    connection.push(writer.write('one', { a: 3 }))
    expect(connection.closed?.code).toBe(CLOSE_CODES.overloaded)
  })

  it('count answered operations no more', async () => {
    const { join } = createTestRelay({ limits: { maxInFlight: 1 } })
    const connection = await join()
    const writer = createWriter()
    for (const a of [1, 2, 3]) {
      connection.push(writer.write('one', { a }))
      await settled()
    }
    expect(connection.closed).toBeUndefined()
    expect(connection.take()).toHaveLength(3)
  })

  it('[O10] stop the reading of a connection while too many bytes of it wait', async () => {
    const gate = createGate()
    const { relay } = createTestRelay({
      limits: { maxInFlightBytes: 5_000 },
      beforeCommit: gate.wait,
    })
    const calls: string[] = []
    const session = relay.connect({
      bufferedBytes: 0,
      send: () => {},
      close: () => calls.push('close'),
      pause: () => calls.push('pause'),
      resume: () => calls.push('resume'),
    })
    session.receive(encodeClientMessage(hello()))
    session.receive(encodeClientMessage({ type: 'open', channel: 1, space: 'team' }))
    await settled()
    const writer = createWriter()
    for (const id of ['one', 'two', 'three', 'four']) {
      const operation = writer.write(id, { a: 'x'.repeat(2_000) })
      session.receive(encodeClientMessage({ type: 'push', channel: 1, operation }))
      calls.push(id)
    }
    await settled()
    expect(calls).toEqual(['one', 'two', 'pause', 'three', 'four'])
    await gate.release()
    expect(calls.slice(5)).toEqual(['resume'])
  })

  it('cut a connection that asks and asks while the storage is busy', async () => {
    const gate = createGate()
    const { join } = createTestRelay({ limits: { maxUnanswered: 10 }, beforeCommit: gate.wait })
    const connection = await join()
    connection.push(createWriter().write('one', { a: 1 }))
    for (let nonce = 0; nonce < 10; nonce++) connection.send({ type: 'ping', nonce })
    expect(connection.closed?.code).toBe(CLOSE_CODES.overloaded)
  })

  it('cut a connection with too many spaces open', async () => {
    const { join } = createTestRelay({ limits: { maxChannels: 2 } })
    const connection = await join()
    connection.send({ type: 'open', channel: 2, space: 'two' })
    expect(connection.closed).toBeUndefined()
    connection.send({ type: 'open', channel: 3, space: 'three' })
    expect(connection.closed?.code).toBe(CLOSE_CODES.overloaded)
  })

  it('[S7] do not cut a reader that keeps up, however large one frame is', async () => {
    const { join } = createTestRelay({ limits: { maxBufferedBytes: 1_000 } })
    const fast = await join({ since: 0 })
    const author = await join({ replica: 'replica-b' })
    author.push(createWriter({ replica: 'replica-b' }).write('one', { a: 'x'.repeat(10_000) }))
    // As if all of it were still here.
    fast.bufferedBytes = 1_000
    await settled()
    expect(fast.closed).toBeUndefined()
    expect(fast.take()).toMatchObject([{ type: 'changes' }])
  })

  it('[S7] [SEC-9] cut a reader that is too slow, and nobody else', async () => {
    const { join } = createTestRelay()
    const slow = await join({ since: 0 })
    const fast = await join({ replica: 'replica-b', since: 0 })
    const author = await join({ replica: 'replica-c' })
    const writer = createWriter({ replica: 'replica-c' })
    slow.bufferedBytes = DEFAULT_LIMITS.maxBufferedBytes + 1
    author.push(writer.write('one', { a: 1 }))
    await settled()
    author.push(writer.write('one', { a: 2 }))
    await settled()
    expect(slow.closed?.code).toBe(CLOSE_CODES.slowReader)
    expect(slow.take()).toHaveLength(0)
    expect(fast.take().map(({ type }) => type)).toEqual(['changes', 'changes'])
    expect(author.take().map(({ type }) => type)).toEqual(['ack', 'ack'])
  })
})

describe('one connection', () => {
  it('that throws when it is written to does not keep the others from their messages', async () => {
    const { relay, join } = createTestRelay()
    const broken = relay.connect({
      bufferedBytes: 0,
      send: () => {
        throw new Error('broken pipe')
      },
      close: () => {
        throw new Error('broken pipe')
      },
    })
    broken.receive(encodeClientMessage(hello({ replica: 'broken' })))
    broken.receive(encodeClientMessage({ type: 'open', channel: 1, space: 'team' }))
    broken.receive(encodeClientMessage({ type: 'subscribe', channel: 1, since: 0, fresh: false }))
    await settled()
    const reader = await join({ since: 0 })
    const author = await join({ replica: 'replica-b' })
    author.push(createWriter({ replica: 'replica-b' }).write('one', { a: 1 }))
    await settled()
    expect(author.take()).toMatchObject([{ type: 'ack', sequence: 1 }])
    expect(reader.take()).toMatchObject([{ type: 'changes', sequence: 1 }])
  })

  it('that is lost after a push takes nothing back: the operation is stored and told to others', async () => {
    const { join } = createTestRelay()
    const reader = await join({ since: 0 })
    const author = await join({ replica: 'replica-b' })
    author.push(createWriter({ replica: 'replica-b' }).write('one', { a: 1 }))
    author.disconnect()
    await settled()
    expect(reader.take()).toMatchObject([{ type: 'changes', sequence: 1 }])
    expect(author.take()).toEqual([])
  })

  it('never puts a token into the log', async () => {
    const lines: string[] = []
    const write = (fields: object, message: string) => lines.push(JSON.stringify([fields, message]))
    const log: Log = { ...silentLog, debug: write, info: write, warn: write, error: write }
    const { connect } = createTestRelay({ log, authenticate: ({ user }) => user })
    const connection = connect()
    connection.send(hello({ token: 'swordfish' }))
    await settled()
    connection.sendBytes(Uint8Array.of(200))
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.join()).not.toContain('swordfish')
  })
})

describe('a stop', () => {
  it('answers what was received, then sends every client away to come back', async () => {
    const gate = createGate()
    const { relay, join, connect } = createTestRelay({ beforeCommit: gate.wait })
    const author = await join()
    const idle = await join({ replica: 'replica-b' })
    author.push(createWriter().write('one', { a: 1 }))
    await settled()
    const stopped = relay.stop()
    expect(relay.ready()).toEqual({ ready: false, reason: 'stopping' })
    author.push(createWriter({ client: 2 }).write('two', { a: 1 }))
    await settled()
    expect(author.closed).toBeUndefined()
    await gate.release()
    await stopped
    expect(author.take()).toMatchObject([{ type: 'ack', sequence: 1 }, { type: 'goodbye' }])
    expect(author.closed?.code).toBe(CLOSE_CODES.restarting)
    expect(idle.closed?.code).toBe(CLOSE_CODES.restarting)
    expect(connect().closed?.code).toBe(CLOSE_CODES.restarting)
  })
})
