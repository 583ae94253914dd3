import { collection, counter, defineSchema, list, set, text } from '@tidemark/core'
import type { StorableValue } from '@tidemark/core/entity'
import type { RejectCode, WireOperation } from '@tidemark/core/protocol'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { silentLog } from '../log.js'
import { createMemoryDisk } from '../storage/index.js'
import { createPolicy } from './policy.js'
import type { Authorize, EntityChange, EntityValues } from './ports.js'
import {
  createGate,
  createTestRelay,
  settled,
  type TestConnection,
  type TestRelay,
} from './test-relay.test-support.js'
import { createWriter } from './writer.test-support.js'

async function push(connection: TestConnection, ...operations: readonly WireOperation[]) {
  for (const operation of operations) connection.push(operation)
  await settled()
  return connection.take()
}

const reject = (code: RejectCode, retryable = false) => ({ type: 'reject', code, retryable })

function storedIn({ disk }: TestRelay): string[] {
  return [...(disk.spaces.get('team')?.entities.keys() ?? [])]
}

interface Call {
  readonly user: string
  readonly change: EntityChange
  readonly before: EntityValues | undefined
  readonly after: EntityValues
}

function recording(answer: (call: Call) => ReturnType<Authorize>) {
  const calls: Call[] = []
  const authorize: Authorize = (user, change, before, after) => {
    const call = { user, change, before, after }
    calls.push(call)
    return answer(call)
  }
  return { calls, authorize }
}

describe('authorize', () => {
  it('is told who changes what, with the values before and after', async () => {
    const { calls, authorize } = recording(() => true)
    const { join } = createTestRelay({ authorize })
    const writer = createWriter()
    const connection = await join()
    const create = writer.write('one', { title: 'Hi', 'tags:red': true, 'tags:blue': true })
    const update = writer.write('one', { title: 'Hello', 'votes:1': 2 })
    expect(await push(connection, create, update)).toMatchObject([{ type: 'ack' }, { type: 'ack' }])
    expect(calls).toMatchObject([
      {
        user: 'ada',
        change: {
          operation: create.id,
          space: 'team',
          role: 'admin',
          collection: 'cards',
          id: 'one',
          kind: 'create',
          fields: ['title', 'tags'],
        },
        before: undefined,
        after: { id: 'one', title: 'Hi', tags: ['blue', 'red'] },
      },
      {
        change: { operation: update.id, kind: 'update', fields: ['title', 'votes'] },
        before: { id: 'one', title: 'Hi', tags: ['blue', 'red'] },
        after: { id: 'one', title: 'Hello', tags: ['blue', 'red'] },
      },
    ])
  })

  it('[SEC-13] gets values that can neither be changed nor inherit anything', async () => {
    const { calls, authorize } = recording(() => true)
    const { join } = createTestRelay({ authorize })
    await push(await join(), createWriter().write('one', { a: { b: [1] } }))
    const values: Readonly<Record<string, unknown>> = calls[0]?.after ?? {}
    expect(Object.getPrototypeOf(values)).toBeNull()
    for (const value of [values, values['a']]) expect(Object.isFrozen(value)).toBe(true)
    expect('constructor' in values).toBe(false)
  })

  it('tells deleting from restoring, and what is underneath', async () => {
    const { calls, authorize } = recording(() => true)
    const { join } = createTestRelay({ authorize })
    const writer = createWriter()
    const connection = await join()
    await push(
      connection,
      writer.write('one', { title: 'Hi' }),
      writer.write('one', { $deleted: 5 }),
      writer.write('one', { title: 'Hidden' }),
      writer.write('one', { $deleted: null }),
    )
    expect(calls.map(({ change }) => change.kind)).toEqual([
      'create',
      'delete',
      'update',
      'restore',
    ])
    expect(calls.map(({ after }) => after)).toMatchObject([
      { title: 'Hi' },
      { title: 'Hi', $deleted: 5 },
      { title: 'Hidden', $deleted: 5 },
      { title: 'Hidden' },
    ])
    expect(calls[3]?.after).not.toHaveProperty('$deleted')
  })

  it('says no: nothing is stored, and the reason is told', async () => {
    const { authorize } = recording(({ after }) =>
      after['title'] === 'no' ? false : after['title'] === 'why' ? 'Only on Mondays.' : true,
    )
    const relay = createTestRelay({ authorize })
    const connection = await relay.join()
    const writer = createWriter()
    const messages = await push(
      connection,
      writer.write('one', { title: 'no' }),
      writer.write('two', { title: 'why' }),
      writer.write('three', { title: 'yes' }),
    )
    expect(messages).toMatchObject([
      { ...reject('forbidden'), message: 'You may not do that.' },
      { ...reject('forbidden'), message: 'Only on Mondays.' },
      { type: 'ack', sequence: 1 },
    ])
    expect(storedIn(relay)).toEqual(['cards/three'])
  })

  it('[L21] has to allow all parts: else none is stored', async () => {
    const { authorize } = recording(async ({ change }) => change.id !== 'two')
    const relay = createTestRelay({ authorize })
    const connection = await relay.join()
    const writer = createWriter()
    const operation = writer.operation(writer.part('one', { a: 1 }), writer.part('two', { a: 1 }))
    expect(await push(connection, operation)).toMatchObject([reject('forbidden')])
    expect(storedIn(relay)).toEqual([])
  })

  it('sees what a hidden write touches: a value that loses against a later one', async () => {
    const { calls, authorize } = recording(({ change }) => !change.fields.includes('owner'))
    const relay = createTestRelay({
      authorize: (...call) => call[0] === 'ada' || authorize(...call),
    })
    const ada = await relay.join()
    const bo = await relay.join({ user: 'bo', replica: 'replica-b' })
    await push(ada, createWriter().write('one', { owner: 'ada' }))
    const forger = createWriter({ user: 'bo', replica: 'replica-b', client: 2, now: () => 5 })
    expect(await push(bo, forger.write('one', { owner: 'bo' }))).toMatchObject([
      reject('forbidden'),
    ])
    expect(calls).toMatchObject([{ before: { owner: 'ada' }, after: { owner: 'ada' } }])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('the policy is down')
      },
    ],
    ['rejects', () => Promise.reject(new Error('the policy is down'))],
    ['forgets to answer', () => undefined],
    ['forgets to answer, later', async () => undefined],
  ])('that %s allows nothing, and the client tries again later', async (_name, answer) => {
    const relay = createTestRelay({ authorize: answer as unknown as Authorize })
    const connection = await relay.join()
    expect(await push(connection, createWriter().write('one', { a: 1 }))).toMatchObject([
      reject('unavailable', true),
    ])
    expect(storedIn(relay)).toEqual([])
    expect(relay.relay.ready()).toEqual({ ready: true })
  })

  it('that gives no answer in time allows nothing, and holds up nobody else', async () => {
    const relay = createTestRelay({
      authorize: (user) => (user === 'ada' ? new Promise(() => {}) : true),
    })
    const ada = await relay.join()
    const bo = await relay.join({ user: 'bo', replica: 'replica-b', since: 0 })
    const other = createWriter({ user: 'bo', replica: 'replica-b', client: 2 })
    expect(await push(ada, createWriter().write('one', { a: 1 }))).toEqual([])
    expect(await push(bo, other.write('two', { a: 1 }))).toMatchObject([{ type: 'ack' }])
    relay.clock.advance(3_000)
    await settled()
    expect(ada.take()).toMatchObject([reject('unavailable', true)])
    expect(storedIn(relay)).toEqual(['cards/two'])
  })

  it('is not asked about what was accepted before [L10], nor about what is malformed', async () => {
    const { calls, authorize } = recording(() => true)
    const { join } = createTestRelay({ authorize })
    const connection = await join()
    const operation = createWriter().write('one', { a: 1 })
    const forged = createWriter({ user: 'eve', client: 9 }).write('two', { a: 1 })
    await push(connection, operation, operation, forged)
    expect(calls).toHaveLength(1)
  })

  it('[L9] that takes its time keeps the order of an entity, and nobody else waits', async () => {
    const gate = createGate()
    const { calls, authorize } = recording(async ({ change }) => {
      if (change.id === 'slow') await gate.wait()
      return true
    })
    const relay = createTestRelay({ authorize })
    const connection = await relay.join({ since: 0 })
    const writer = createWriter()
    const [first, second, third] = [1, 2, 3].map((a) => writer.write('slow', { a }))
    const both = writer.operation(writer.part('slow', { a: 4 }), writer.part('other', { a: 1 }))
    const behind = writer.write('other', { a: 2 })
    const apart = writer.write('fast', { a: 1 })
    const all = [first, second, third, both, behind, apart].filter((one) => one !== undefined)
    expect((await push(connection, ...all)).map((answer) => 'id' in answer && answer.id)).toEqual([
      apart.id,
    ])
    const answers: unknown[] = []
    while (gate.waiting > 0) {
      await gate.release()
      answers.push(...connection.take().map((answer) => ['id' in answer && answer.id, answer.type]))
    }
    expect(answers).toEqual(
      [first, second, third, both, behind].map((operation) => [operation?.id, 'ack']),
    )
    expect(
      calls.filter(({ change }) => change.id === 'slow').map(({ after }) => after['a']),
    ).toEqual([1, 2, 3, 4])
  })

  it('[L10] is waited for by whoever asks for the fate of what it judges', async () => {
    const gate = createGate()
    const relay = createTestRelay({ authorize: () => gate.wait().then(() => true) })
    const connection = await relay.join()
    const operation = createWriter().write('one', { a: 1 })
    connection.push(operation)
    await settled()
    const again = await relay.join()
    expect(again.received).toMatchObject([{ type: 'welcome' }])
    const somebody = await relay.join({ user: 'bo', replica: 'replica-b' })
    for (const asking of [connection, again, somebody]) {
      asking.send({ type: 'fates', channel: 1, ids: [operation.id] })
      asking.send({ type: 'ping', nonce: 1 })
    }
    again.send({ type: 'subscribe', channel: 1, since: 0, fresh: false })
    await settled()
    expect(connection.take()).toEqual([])
    expect(again.take()).toEqual([])
    expect(somebody.take()).toMatchObject([{ type: 'fates', fates: [] }, { type: 'pong' }])
    await gate.release()
    expect(connection.take()).toMatchObject([{ type: 'ack' }, { type: 'fates' }, { type: 'pong' }])
    expect(again.take()).toMatchObject([
      { type: 'opened' },
      { type: 'fates', fates: [{ id: operation.id, sequence: 1 }] },
      { type: 'pong' },
      { type: 'page' },
      { type: 'caughtUp' },
    ])
  })

  it('judges what is there when it is stored, not what was there when it was asked', async () => {
    const gate = createGate()
    const seen: unknown[] = []
    const relay = createTestRelay({
      async authorize(_user, { operation }, before) {
        seen.push([operation, before?.['a']])
        await gate.wait()
        return true
      },
    })
    const ada = await relay.join()
    const bo = await relay.join({ user: 'bo', replica: 'replica-b' })
    const [first, second] = [
      createWriter().write('one', { a: 1 }),
      createWriter({ user: 'bo', replica: 'replica-b', client: 2 }).write('one', { a: 2 }),
    ]
    await push(ada, first)
    await push(bo, second)
    while (gate.waiting > 0) await gate.release()
    expect(seen).toEqual([
      [first.id, undefined],
      [second.id, 1],
    ])
  })

  it('[L22] and schema judge what is handed back, also of an entity that is damaged', async () => {
    const { calls, authorize } = recording(({ after }) => after['title'] !== 'no')
    const schema = defineSchema({
      version: 1,
      collections: { cards: collection({ title: z.string() }) },
    })
    const disk = createMemoryDisk('epoch-2', 1_700_000_000_000)
    const relay = createTestRelay({ authorize, schema, disk })
    const connection = await relay.join()
    const handBack = async (operation: WireOperation) => {
      connection.send({ type: 'handBack', channel: 1, operation })
      await settled()
      return connection.take()
    }
    const writer = createWriter({ user: 'bo', replica: 'replica-b', client: 2 })
    expect(await handBack(writer.write('bad', { title: 5 }))).toMatchObject([reject('invalid')])
    expect(await handBack(writer.write('no', { title: 'no' }))).toMatchObject([reject('forbidden')])
    const lost = writer.write('one', { title: 'Hi' })
    expect(await handBack(lost)).toMatchObject([{ type: 'ack' }])
    expect(calls.map(({ change }) => change.kind)).toEqual(['handBack', 'handBack'])
    expect(storedIn(relay)).toEqual(['cards/one'])

    const stored = relay.disk.spaces.get('team')?.entities.get('cards/one')?.snapshot
    if (stored != null) stored.bytes[0] = 255 - (stored.bytes[0] ?? 0)
    const again = { ...lost, id: 'another-operation' }
    expect((await handBack(again)).filter(({ type }) => type !== 'wanted')).toMatchObject([
      { type: 'ack' },
    ])
    expect(calls.at(-1)).toMatchObject({ before: undefined, after: { title: 'Hi' } })
  })

  it('is asked anew when something else has changed the entity meanwhile, and not without end', async () => {
    const { calls, authorize } = recording(() => false)
    const policy = createPolicy({ authorize, schema: undefined, log: silentLog })
    const relay = createTestRelay()
    const writer = createWriter()
    await push(await relay.join(), writer.write('one', { a: 1 }))
    const operation = writer.write('one', { a: 2 })
    const [part] = operation.parts
    const judge = (base: number, round: number) =>
      relay.storage.transaction(async (tx) => {
        if (part === undefined) throw new Error('no part')
        const head = await tx.entityHead('team', part)
        if (head === undefined) throw new Error('no entity')
        const { versionSequence, lastModified, clients } = head
        const common = { part, before: head, head, elements: [], clients, versionSequence }
        return policy?.judge(
          tx,
          {
            space: 'team',
            author: { user: 'ada', replica: 'replica-a' },
            operation,
            decision: { bases: [base], round, refusal: undefined },
          },
          [
            {
              ...common,
              isNew: false,
              nesting: undefined,
              lastModified,
              tombstoneAt: null,
              snapshot: undefined,
            },
          ],
        )
      })
    expect(await judge(1, 1)).toBeUndefined()
    expect(calls).toHaveLength(0)
    expect(await judge(0, 1)).toMatchObject({ code: 'forbidden' })
    expect(calls).toMatchObject([{ before: { a: 1 }, after: { a: 2 } }])
    expect(await judge(0, 5)).toMatchObject({ code: 'unavailable', retryable: true })
    expect(calls).toHaveLength(1)
  })

  it('[SEC-6] that is waited for lets nothing in of a user who is suspended meanwhile', async () => {
    const gate = createGate()
    const relay = createTestRelay({
      authenticate: ({ user }) => user,
      authorize: () => gate.wait().then(() => true),
    })
    const connection = await relay.join()
    expect(await push(connection, createWriter().write('one', { a: 1 }))).toEqual([])
    relay.relay.revoke({ user: 'ada' })
    await gate.release()
    expect(storedIn(relay)).toEqual([])
  })

  it('is waited for by a stop, which answers what was received', async () => {
    const gate = createGate()
    const relay = createTestRelay({ authorize: () => gate.wait().then(() => true) })
    const connection = await relay.join()
    const writer = createWriter()
    connection.push(writer.write('one', { a: 1 }))
    connection.push(writer.write('one', { a: 2 }))
    await settled()
    const stopped = relay.relay.stop()
    await gate.release()
    await gate.release()
    await stopped
    expect(connection.take()).toMatchObject([{ type: 'ack' }, { type: 'ack' }, { type: 'goodbye' }])
  })

  it('that fails together with the commit harms nobody', async () => {
    const gate = createGate()
    const relay = createTestRelay({
      authorize: () => Promise.reject(new Error('the policy is down')),
      beforeCommit: gate.wait,
    })
    const connection = await relay.join()
    connection.push(createWriter().write('one', { a: 1 }))
    await settled()
    await gate.release(new Error('the disk is full'))
    expect(connection.take()).toMatchObject([reject('unavailable', true)])
  })

  it('is asked again when the commit has failed', async () => {
    let failures = 1
    const { calls, authorize } = recording(async () => true)
    const relay = createTestRelay({
      authorize,
      async beforeCommit() {
        if (failures-- > 0) throw new Error('the disk is full')
      },
    })
    const connection = await relay.join()
    const operation = createWriter().write('one', { a: 1 })
    expect(await push(connection, operation)).toMatchObject([reject('unavailable', true)])
    relay.clock.advance(1_000)
    await settled()
    expect(await push(connection, operation)).toMatchObject([{ type: 'ack' }])
    expect(calls.length).toBeGreaterThan(1)
  })
})

const cards = (fields: Parameters<typeof collection>[0]) => collection(fields)

const schema = defineSchema({
  version: 2,
  collections: {
    cards: cards({
      title: z.string().min(2),
      done: z.boolean().default(false),
      due: z.number().optional(),
      tags: set(z.enum(['red', 'blue'])),
      votes: counter(),
      steps: list(z.object({ name: z.string() })),
      notes: text(),
    }),
  },
  migrations: {
    2: { cards: ({ name }) => ({ title: typeof name === 'string' ? name : 'untitled' }) },
  },
})

const CURRENT = { $schema: 2 }

describe('a schema', () => {
  it.each<[string, Readonly<Record<string, StorableValue>>]>([
    ['what fits', { ...CURRENT, title: 'Hi', done: true, due: 5, 'tags:red': true, 'votes:1': 3 }],
    ['what leaves out what may be missing', { ...CURRENT, title: 'Hi' }],
    ['fields of another version', { ...CURRENT, title: 'Hi', colour: 'red' }],
    ['what an older version writes, if it becomes what fits', { name: 'Hi' }],
  ])('takes %s', async (_name, values) => {
    const { join } = createTestRelay({ schema })
    const answers = await push(await join(), createWriter().write('one', values))
    expect(answers).toMatchObject([{ type: 'ack' }])
  })

  it.each<[string, string, Readonly<Record<string, StorableValue>>]>([
    ['a field of another type', 'title', { ...CURRENT, title: 5 }],
    ['what a check refuses', 'title', { ...CURRENT, title: 'x' }],
    ['what lacks a field', 'title', { ...CURRENT, done: true }],
    ['an element that a set may not have', 'tags', { ...CURRENT, title: 'Hi', 'tags:green': true }],
    ['what an older version writes, if it becomes what does not fit', 'title', { name: 'x' }],
  ])('refuses %s, and names the field', async (_name, field, values) => {
    const relay = createTestRelay({ schema })
    const answers = await push(await relay.join(), createWriter().write('one', values))
    expect(answers).toMatchObject([
      { ...reject('invalid'), message: expect.stringContaining(field) },
    ])
    expect(storedIn(relay)).toEqual([])
  })

  it('refuses collections that it does not have', async () => {
    const { join } = createTestRelay({ schema })
    const writer = createWriter()
    for (const name of ['users', 'constructor']) {
      const operation = writer.operation(writer.part(name, CURRENT, { collection: name }))
      expect(await push(await join(), operation)).toMatchObject([
        { ...reject('invalid'), message: expect.stringContaining(name) },
      ])
    }
  })

  it('refuses what takes a needed field away', async () => {
    const { join } = createTestRelay({ schema })
    const connection = await join()
    const writer = createWriter()
    const [create, remove] = [
      writer.write('one', { ...CURRENT, title: 'Hi' }),
      writer.write('one', { title: null }),
    ]
    expect(await push(connection, create, remove)).toMatchObject([
      { type: 'ack' },
      { ...reject('invalid'), message: expect.stringContaining('title') },
    ])
  })

  it('refuses a hidden value too: it may show one day', async () => {
    const { join } = createTestRelay({ schema })
    const ada = await join()
    const bo = await join({ user: 'bo', replica: 'replica-b' })
    await push(ada, createWriter().write('one', { ...CURRENT, title: 'Hi' }))
    const forger = createWriter({ user: 'bo', replica: 'replica-b', client: 2, now: () => 5 })
    expect(await push(bo, forger.write('one', { title: 5 }))).toMatchObject([reject('invalid')])
  })

  it('that became stricter keeps nobody from changing other fields', async () => {
    const before = createTestRelay()
    const writer = createWriter()
    await push(await before.join(), writer.write('one', { ...CURRENT, title: 'x' }))
    const { join } = createTestRelay({ schema, disk: before.disk })
    const connection = await join()
    expect(await push(connection, writer.write('one', { done: true }))).toMatchObject([
      { type: 'ack' },
    ])
    expect(await push(connection, writer.write('one', { title: 'y' }))).toMatchObject([
      reject('invalid'),
    ])
  })

  it('that is older than the one of an app lets its changes wait', async () => {
    const relay = createTestRelay({ schema })
    const newer = createWriter().write('one', { $schema: 3, title: 5 })
    expect(await push(await relay.join(), newer)).toMatchObject([
      { ...reject('unavailable', true), message: expect.stringContaining('update the relay') },
    ])
    expect(storedIn(relay)).toEqual([])
  })

  it('whose migration fails lets an entity be deleted, not changed', async () => {
    const failing = defineSchema({
      version: 2,
      collections: { cards: cards({ title: z.string() }) },
      migrations: {
        2: {
          cards() {
            throw new Error('not yet')
          },
        },
      },
    })
    const before = createTestRelay()
    const writer = createWriter()
    await push(await before.join(), writer.write('one', { name: 'Hi' }))
    const { join } = createTestRelay({ schema: failing, disk: before.disk })
    const connection = await join()
    expect(await push(connection, writer.write('one', { $deleted: 5 }))).toMatchObject([
      { type: 'ack' },
    ])
    expect(await push(connection, writer.write('one', { name: 'x' }))).toMatchObject([
      reject('invalid'),
    ])
  })

  it('is checked before authorize is asked, which gets the values of its version', async () => {
    const { calls, authorize } = recording(() => true)
    const { join } = createTestRelay({ schema, authorize })
    const connection = await join()
    const writer = createWriter()
    await push(
      connection,
      writer.write('bad', { ...CURRENT, title: 5 }),
      writer.write('old', { name: 'Hi' }),
    )
    expect(calls).toMatchObject([{ change: { id: 'old' }, after: { title: 'Hi', name: 'Hi' } }])
  })
})

it('without either nothing is read for it', async () => {
  const relay = createTestRelay()
  let reads = 0
  const { storage } = relay
  const transaction = storage.transaction.bind(storage)
  storage.transaction = (work) =>
    transaction((tx) =>
      work({
        ...tx,
        entityLog(...parameters) {
          reads += 1
          return tx.entityLog(...parameters)
        },
      }),
    )
  const connection = await relay.join()
  const writer = createWriter()
  await push(connection, writer.write('one', { a: 1 }), writer.write('one', { a: 2 }))
  expect(reads).toBe(0)
})
