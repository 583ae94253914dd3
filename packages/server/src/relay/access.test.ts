import {
  CLOSE_CODES,
  type ClientMessage,
  encodeClientMessage,
  type Role,
} from '@tidemark/core/protocol'
import { describe, expect, it } from 'vitest'
import { createMemoryDisk, createMemoryStorage } from '../storage/index.js'
import type { Credentials, Identity, Proof } from './ports.js'
import {
  createGate,
  createTestRelay,
  hello,
  settled,
  type TestConnection,
  type TestRelay,
  type TestRelayOptions,
} from './test-relay.test-support.js'
import { createWriter } from './writer.test-support.js'

/** A relay to which a token is the name of what it proves. */
function relayWith(
  tokens: Readonly<Record<string, Identity>>,
  options: TestRelayOptions = {},
): TestRelay {
  const authenticate = ({ token }: Credentials): Proof => tokens[token]
  return createTestRelay({ authenticate, ...options })
}

async function greet(
  { connect }: TestRelay,
  user: string,
  token: string,
  ...messages: readonly ClientMessage[]
): Promise<TestConnection> {
  const connection = connect()
  connection.send(hello({ user, token, replica: `replica-of-${user}` }))
  for (const message of messages) connection.send(message)
  await settled()
  return connection
}

const open = (space: string, channel = 1): ClientMessage => ({ type: 'open', channel, space })
const subscribe = (channel = 1): ClientMessage => ({
  type: 'subscribe',
  channel,
  since: 0,
  fresh: false,
})

const typesOf = (connection: TestConnection) => connection.take().map(({ type }) => type)

describe('a role', () => {
  it.each([
    ['read', 'team', { team: 'read' }],
    ['write', 'team', { team: 'write', '*': 'read' }],
    ['admin', 'team', { '*': 'admin' }],
    ['read', 'other', { team: 'write', '*': 'read' }],
    ['write', 'team', undefined],
    ['admin', 'team', (): Role => 'admin'],
    ['read', 'team', async (): Promise<Role> => 'read'],
  ] as const)('%s in %s is told when it is opened: %o', async (role, space, spaces) => {
    const relay = relayWith({ t: { user: 'ada', spaces } })
    const connection = await greet(relay, 'ada', 't', open(space))
    expect(connection.received).toMatchObject([{ type: 'welcome' }, { type: 'opened', role }])
  })

  it.each([
    ['another space', { other: 'admin' }],
    ['none', {}],
    ['nothing, said by a function', (): undefined => undefined],
    ['nothing, said later', async (): Promise<undefined> => undefined],
  ] as const)('[SEC-15] for %s opens nothing: 4403, and 0 bytes', async (_name, spaces) => {
    const relay = relayWith({ t: { user: 'ada', spaces } })
    const connection = await greet(relay, 'ada', 't', open('team'), subscribe())
    expect(connection.closed?.code).toBe(CLOSE_CODES.forbidden)
    expect(typesOf(connection)).toEqual(['welcome'])
  })

  it('[SEC-15] is for a space of that name, not for what every object has', async () => {
    const relay = relayWith({ t: { user: 'ada', spaces: { team: 'write' } } })
    const connection = await greet(relay, 'ada', 't', open('constructor'))
    expect(connection.closed?.code).toBe(CLOSE_CODES.forbidden)
  })

  it('[SEC-15] for one space gives 0 bytes of another, whatever is sent', async () => {
    const relay = relayWith({
      ada: { user: 'ada', spaces: { a: 'write' } },
      bo: { user: 'bo', spaces: { b: 'write' } },
    })
    const bo = await greet(relay, 'bo', 'bo', open('b'), subscribe())
    const secret = createWriter({ user: 'bo', replica: 'replica-of-bo' }).write('one', {
      secret: 1,
    })
    bo.push(secret)
    await settled()
    const { id: known } = secret
    const attempts: readonly ClientMessage[] = [
      open('b', 2),
      subscribe(2),
      { type: 'fates', channel: 2, ids: [known] },
      { type: 'push', channel: 2, operation: createWriter().write('one', { a: 1 }) },
      { type: 'fates', channel: 1, ids: [known] },
    ]
    for (const attempt of attempts) {
      const ada = await greet(relay, 'ada', 'ada', open('a'), subscribe())
      ada.take()
      ada.send(attempt)
      await settled()
      const answers = ada.take()
      expect(JSON.stringify(answers)).not.toContain('secret')
      for (const answer of answers) expect(answer).toEqual({ type: 'fates', channel: 1, fates: [] })
    }
    expect(relay.disk.spaces.get('b')?.entities.size).toBe(1)
  })

  it('[SEC-5] [F19] to read stores nothing that is pushed, and says so', async () => {
    const relay = relayWith({ t: { user: 'ada', spaces: { team: 'read' } } })
    const connection = await greet(relay, 'ada', 't', open('team'), subscribe())
    connection.take()
    const operation = createWriter({ replica: 'replica-of-ada' }).write('one', { a: 1 })
    connection.push(operation)
    await settled()
    expect(connection.take()).toMatchObject([
      { type: 'reject', id: operation.id, code: 'forbidden', retryable: false },
    ])
    expect(relay.disk.spaces.size).toBe(0)
    expect(connection.closed).toBeUndefined()
  })

  it('[SEC-5] to read hands nothing back either, to write does', async () => {
    const relay = relayWith(
      {
        reader: { user: 'ada', spaces: { team: 'read' } },
        writer: { user: 'ada', spaces: { team: 'write' } },
      },
      { disk: createMemoryDisk('epoch-2', 1_700_000_000_000) },
    )
    const operation = createWriter({ replica: 'replica-of-ada' }).write('one', { a: 1 })
    const answers: unknown[] = []
    for (const token of ['reader', 'writer']) {
      const connection = await greet(relay, 'ada', token, open('team'))
      connection.take()
      connection.send({ type: 'handBack', channel: 1, operation })
      await settled()
      answers.push(...connection.take(), relay.disk.spaces.get('team')?.entities.size ?? 0)
    }
    expect(answers).toMatchObject([
      { type: 'reject', code: 'forbidden', retryable: false },
      0,
      { type: 'ack' },
      1,
    ])
  })

  it('[L10] that was lost since takes nothing back: what was accepted is acknowledged again', async () => {
    const tokens: Record<string, Identity> = { t: { user: 'ada', spaces: { team: 'write' } } }
    const relay = relayWith(tokens)
    const operation = createWriter({ replica: 'replica-of-ada' }).write('one', { a: 1 })
    const before = await greet(relay, 'ada', 't', open('team'))
    before.push(operation)
    await settled()
    tokens['t'] = { user: 'ada', spaces: { team: 'read' } }
    const after = await greet(relay, 'ada', 't', open('team'))
    after.take()
    after.push(operation)
    await settled()
    expect(after.take()).toMatchObject([{ type: 'ack', id: operation.id, sequence: 1 }])
  })

  it('that has to be asked for keeps the order of what comes behind it', async () => {
    const gate = createGate()
    const spaces = async (): Promise<Role> => {
      await gate.wait()
      return 'write'
    }
    const relay = relayWith({ t: { user: 'ada', spaces } })
    const connection = await greet(
      relay,
      'ada',
      't',
      open('team'),
      { type: 'fates', channel: 1, ids: ['one'] },
      subscribe(),
      { type: 'ping', nonce: 7 },
    )
    expect(typesOf(connection)).toEqual(['welcome'])
    await gate.release()
    expect(typesOf(connection)).toEqual(['opened', 'fates', 'caughtUp', 'pong'])
  })

  it('that nobody tells in time sends the client away to come back', async () => {
    const relay = relayWith({ t: { user: 'ada', spaces: () => new Promise(() => {}) } })
    const connection = await greet(relay, 'ada', 't', open('team'))
    relay.clock.advance(5_000)
    await settled()
    expect(connection.closed?.code).toBe(CLOSE_CODES.overloaded)
  })

  it('[S9] that is being asked for lets no flood wait', async () => {
    const relay = relayWith(
      { t: { user: 'ada', spaces: () => new Promise(() => {}) } },
      { limits: { maxUnanswered: 10 } },
    )
    const connection = await greet(relay, 'ada', 't', open('team'))
    for (let nonce = 0; nonce < 11; nonce++) connection.send({ type: 'ping', nonce })
    expect(connection.closed?.code).toBe(CLOSE_CODES.overloaded)
  })

  it.each([
    ['an unknown role', { team: 'owner' }],
    ['no roles', 'write'],
    ['a malformed space', { '../etc': 'read' }],
    ['an unknown role, later', () => 'owner'],
  ])('given as %s lets nobody in', async (_name, spaces) => {
    const relay = relayWith({ t: { user: 'ada', spaces } as unknown as Identity })
    const connection = await greet(relay, 'ada', 't', open('team'))
    expect(connection.closed?.code).toBe(CLOSE_CODES.overloaded)
    expect(typesOf(connection)).not.toContain('opened')
  })
})

const HOUR = 3_600_000

describe('[SEC-6] [F19] a token', () => {
  it('that expires ends the connection at that time, with 0 bytes in or out afterwards', async () => {
    const tokens: Record<string, Identity> = { bo: { user: 'bo' } }
    const relay = relayWith(tokens)
    tokens['ada'] = { user: 'ada', expiresAt: relay.clock.now() + HOUR }
    const ada = await greet(relay, 'ada', 'ada', open('team'), subscribe())
    const bo = await greet(relay, 'bo', 'bo', open('team'), subscribe())
    expect(ada.received).toContainEqual(
      expect.objectContaining({ type: 'welcome', tokenExpiresAt: relay.clock.now() + HOUR }),
    )
    relay.clock.advance(HOUR - 1)
    expect(ada.closed).toBeUndefined()
    relay.clock.advance(1)
    expect(ada.closed?.code).toBe(CLOSE_CODES.unauthorized)
    const { length } = ada.received
    bo.push(createWriter({ user: 'bo', replica: 'replica-of-bo' }).write('one', { a: 1 }))
    ada.push(createWriter({ replica: 'replica-of-ada' }).write('two', { a: 1 }))
    await settled()
    expect(ada.received).toHaveLength(length)
    expect([...(relay.disk.spaces.get('team')?.entities.keys() ?? [])]).toEqual(['cards/one'])
  })

  it('that expired while the machine slept is noticed before a byte is sent or taken', async () => {
    const tokens: Record<string, Identity> = { bo: { user: 'bo' } }
    let now = 1_700_000_000_000
    const clock = { now: () => now, schedule: () => () => undefined }
    const relay = relayWith(tokens, { clock })
    tokens['ada'] = { user: 'ada', expiresAt: now + HOUR }
    const listener = await greet(relay, 'ada', 'ada', open('team'), subscribe())
    const sender = await greet(relay, 'ada', 'ada', open('team'), subscribe())
    const bo = await greet(relay, 'bo', 'bo', open('team'), subscribe())
    now += HOUR
    const { length } = listener.received
    bo.push(createWriter({ user: 'bo', replica: 'replica-of-bo' }).write('one', { a: 1 }))
    sender.push(createWriter({ replica: 'replica-of-ada' }).write('two', { a: 1 }))
    await settled()
    expect(listener.received).toHaveLength(length)
    for (const { closed } of [listener, sender]) expect(closed?.code).toBe(CLOSE_CODES.unauthorized)
    expect([...(relay.disk.spaces.get('team')?.entities.keys() ?? [])]).toEqual(['cards/one'])
  })

  it('that has expired already opens nothing', async () => {
    const relay = relayWith({ t: { user: 'ada', expiresAt: 5 } })
    const connection = await greet(relay, 'ada', 't')
    expect(connection.closed?.code).toBe(CLOSE_CODES.unauthorized)
    expect(connection.received).toEqual([])
  })

  it('that lasts for years keeps the connection for longer than a timer can', async () => {
    const tokens: Record<string, Identity> = {}
    const relay = relayWith(tokens)
    const years = 40 * 24 * HOUR
    tokens['t'] = { user: 'ada', expiresAt: relay.clock.now() + years }
    const connection = await greet(relay, 'ada', 't')
    relay.clock.advance(years - 1)
    expect(connection.closed).toBeUndefined()
    relay.clock.advance(1)
    expect(connection.closed?.code).toBe(CLOSE_CODES.unauthorized)
  })

  it('that is followed by a newer one on the open socket goes on without a break', async () => {
    const tokens: Record<string, Identity> = {}
    const relay = relayWith(tokens)
    const start = relay.clock.now()
    tokens['first'] = { user: 'ada', expiresAt: start + HOUR }
    tokens['second'] = { user: 'ada', expiresAt: start + 2 * HOUR }
    const connection = await greet(relay, 'ada', 'first', open('team'), subscribe())
    connection.take()
    connection.send({ type: 'auth', token: 'second' })
    await settled()
    expect(connection.take()).toEqual([{ type: 'authenticated', tokenExpiresAt: start + 2 * HOUR }])
    relay.clock.advance(2 * HOUR - 1)
    expect(connection.closed).toBeUndefined()
    relay.clock.advance(1)
    expect(connection.closed?.code).toBe(CLOSE_CODES.unauthorized)
  })

  it.each([
    ['unknown', 'nonsense'],
    ["somebody else's", 'bo'],
    ['expired', 'old'],
  ])('that is %s ends the connection when it is sent as a newer one', async (_name, token) => {
    const relay = relayWith({
      ada: { user: 'ada' },
      bo: { user: 'bo' },
      old: { user: 'ada', expiresAt: 1 },
    })
    const connection = await greet(relay, 'ada', 'ada', open('team'))
    connection.send({ type: 'auth', token })
    await settled()
    expect(connection.closed?.code).toBe(CLOSE_CODES.unauthorized)
  })

  it('that brings other roles changes what is open: told, or closed', async () => {
    const relay = relayWith({
      writer: { user: 'ada', spaces: { team: 'write' } },
      reader: { user: 'ada', spaces: { team: 'read' } },
      nobody: { user: 'ada', spaces: {} },
    })
    const connection = await greet(relay, 'ada', 'writer', open('team'))
    connection.take()
    connection.send({ type: 'auth', token: 'reader' })
    await settled()
    connection.push(createWriter({ replica: 'replica-of-ada' }).write('one', { a: 1 }))
    await settled()
    expect(connection.take()).toMatchObject([
      { type: 'authenticated' },
      { type: 'opened', channel: 1, role: 'read' },
      { type: 'reject', code: 'forbidden' },
    ])
    connection.send({ type: 'auth', token: 'nobody' })
    await settled()
    expect(connection.closed?.code).toBe(CLOSE_CODES.forbidden)
    expect(relay.disk.spaces.size).toBe(0)
  })

  it('whose roles are told late does not bring back those of the token before it', async () => {
    const gate = createGate()
    const relay = relayWith({
      first: { user: 'ada', spaces: { team: 'read' } },
      slow: { user: 'ada', spaces: () => gate.wait().then(() => 'admin') },
      last: { user: 'ada', spaces: { team: 'read' } },
    })
    const connection = await greet(relay, 'ada', 'first', open('team'))
    connection.take()
    relay.clock.advance(1)
    for (const token of ['slow', 'last']) connection.send({ type: 'auth', token })
    await settled()
    while (gate.waiting > 0) await gate.release()
    connection.push(createWriter({ replica: 'replica-of-ada' }).write('one', { a: 1 }))
    await settled()
    expect(connection.take().filter(({ type }) => type !== 'authenticated')).toMatchObject([
      { type: 'reject', code: 'forbidden' },
    ])
  })

  it("that can't be checked now leaves the one before it as good as it was", async () => {
    const tokens: Record<string, Identity> = {}
    const relay = relayWith(tokens, {
      authenticate({ token }) {
        if (token === 'down') throw new Error('the directory is down')
        return tokens[token]
      },
    })
    tokens['t'] = { user: 'ada', expiresAt: relay.clock.now() + HOUR }
    const connection = await greet(relay, 'ada', 't')
    connection.take()
    for (let again = 0; again < 5; again++) {
      connection.send({ type: 'auth', token: 'down' })
      await settled()
    }
    expect(connection.closed).toBeUndefined()
    expect(connection.take()).toEqual([])
    relay.clock.advance(HOUR)
    expect(connection.closed?.code).toBe(CLOSE_CODES.unauthorized)
  })

  it('that comes while another is being checked is the one that counts', async () => {
    const gate = createGate()
    let asked = 0
    const relay = relayWith(
      {},
      {
        async authenticate() {
          asked += 1
          if (asked > 1) await gate.wait()
          return 'ada'
        },
      },
    )
    const connection = await greet(relay, 'ada', 't')
    for (const token of ['a', 'b', 'c', 'd']) connection.send({ type: 'auth', token })
    await gate.release()
    await gate.release()
    expect([asked, gate.waiting]).toEqual([3, 0])
    expect(typesOf(connection)).toEqual(['welcome', 'authenticated', 'authenticated'])
  })
})

describe('[SEC-6] [F19] a user who is suspended', () => {
  it('is gone when the app is asked again', async () => {
    const tokens: Record<string, Identity> = { t: { user: 'ada', recheckAfter: 60_000 } }
    const relay = relayWith(tokens)
    const connection = await greet(relay, 'ada', 't', open('team'))
    relay.clock.advance(60_000)
    await settled()
    expect(connection.closed).toBeUndefined()
    delete tokens['t']
    relay.clock.advance(60_000)
    await settled()
    expect(connection.closed?.code).toBe(CLOSE_CODES.unauthorized)
  })

  it('may stay while nobody can tell, but not for ever', async () => {
    let down = false
    const relay = createTestRelay({
      authenticate({ user }) {
        if (down) throw new Error('the directory is down')
        return { user, recheckAfter: 60_000 }
      },
    })
    const connection = await greet(relay, 'ada', 't')
    down = true
    for (const closed of [undefined, undefined, CLOSE_CODES.overloaded]) {
      relay.clock.advance(60_000)
      await settled()
      expect(connection.closed?.code).toBe(closed)
    }
  })

  it('is gone at once when that is told to the relay, everywhere, and nobody else', async () => {
    const relay = relayWith({ ada: { user: 'ada', issuedAt: 5 }, bo: { user: 'bo' } })
    const [one, two] = [
      await greet(relay, 'ada', 'ada', open('team'), subscribe()),
      await greet(relay, 'ada', 'ada'),
    ]
    const bo = await greet(relay, 'bo', 'bo', open('team'), subscribe())
    const { length } = one.received
    relay.relay.revoke({ user: 'ada' })
    bo.push(createWriter({ user: 'bo', replica: 'replica-of-bo' }).write('one', { a: 1 }))
    one.push(createWriter({ replica: 'replica-of-ada' }).write('two', { a: 1 }))
    await settled()
    for (const { closed } of [one, two]) expect(closed?.code).toBe(CLOSE_CODES.unauthorized)
    expect(one.received).toHaveLength(length)
    expect(bo.closed).toBeUndefined()
    expect([...(relay.disk.spaces.get('team')?.entities.keys() ?? [])]).toEqual(['cards/one'])
  })

  it('does not come back with what was issued before, only with what is issued later', async () => {
    const tokens: Record<string, Identity> = {}
    const relay = relayWith(tokens)
    tokens['before'] = { user: 'ada', issuedAt: relay.clock.now() }
    tokens['later'] = { user: 'ada', issuedAt: relay.clock.now() + 1_000 }
    relay.relay.revoke({ user: 'ada' })
    const before = await greet(relay, 'ada', 'before')
    const later = await greet(relay, 'ada', 'later')
    expect(before.closed?.code).toBe(CLOSE_CODES.unauthorized)
    expect(later.closed).toBeUndefined()
  })

  it('does not slip in with an answer from before', async () => {
    const gate = createGate()
    const relay = createTestRelay({
      async authenticate({ user }) {
        await gate.wait()
        return user
      },
    })
    const connection = await greet(relay, 'ada', 't')
    relay.relay.revoke({ user: 'ada' })
    await gate.release()
    expect(connection.closed?.code).toBe(CLOSE_CODES.unauthorized)
    expect(connection.received).toEqual([])
  })

  it('does not slip in while the welcome is being made', async () => {
    const gate = createGate()
    const disk = createMemoryDisk('epoch-1')
    const storage = createMemoryStorage({ disk })
    const epoch = storage.epoch.bind(storage)
    storage.epoch = () => gate.wait().then(epoch)
    const relay = relayWith({ t: { user: 'ada' } }, { storage })
    const connection = await greet(relay, 'ada', 't')
    relay.relay.revoke({ user: 'ada' })
    while (gate.waiting > 0) await gate.release()
    expect(connection.closed?.code).toBe(CLOSE_CODES.unauthorized)
    expect(connection.received).toEqual([])
  })

  it('from one space keeps the others', async () => {
    const relay = relayWith({ t: { user: 'ada', issuedAt: 5 } })
    const inTeam = await greet(relay, 'ada', 't', open('team'))
    const elsewhere = await greet(relay, 'ada', 't', open('other'))
    relay.relay.revoke({ user: 'ada', space: 'team' })
    expect(inTeam.closed?.code).toBe(CLOSE_CODES.forbidden)
    expect(elsewhere.closed).toBeUndefined()
    elsewhere.send(open('team', 2))
    expect(elsewhere.closed?.code).toBe(CLOSE_CODES.forbidden)
  })

  it('has nothing stored that was still waiting for its turn', async () => {
    const gate = createGate()
    const relay = relayWith(
      { ada: { user: 'ada', issuedAt: 5 }, bo: { user: 'bo' } },
      { beforeCommit: gate.wait },
    )
    const bo = await greet(relay, 'bo', 'bo', open('team'))
    const ada = await greet(relay, 'ada', 'ada', open('team'))
    bo.push(createWriter({ user: 'bo', replica: 'replica-of-bo' }).write('one', { a: 1 }))
    await settled()
    ada.push(createWriter({ replica: 'replica-of-ada' }).write('two', { a: 1 }))
    relay.relay.revoke({ user: 'ada' })
    while (gate.waiting > 0) await gate.release()
    expect([...(relay.disk.spaces.get('team')?.entities.keys() ?? [])]).toEqual(['cards/one'])
  })
})

it('leaves no timer behind when the connection is gone', async () => {
  let timers = 0
  const clock = {
    now: () => 0,
    schedule() {
      timers += 1
      let isSet = true
      return () => {
        if (isSet) timers -= 1
        isSet = false
      }
    },
  }
  const relay = relayWith({ t: { user: 'ada', expiresAt: HOUR, recheckAfter: 60_000 } }, { clock })
  const before = timers
  const connection = relay.connect()
  connection.sendBytes(encodeClientMessage(hello({ token: 't' })))
  await settled()
  // Two of the token, and the look at slow readers.
  expect(timers).toBe(before + 3)
  connection.disconnect()
  expect(timers).toBe(before)
})
