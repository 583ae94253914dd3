import { compactUpdate, decodeContent, mergeUpdates, viewOf } from '@tidemark/core/entity'
import {
  type OperationPart,
  operationDigest,
  type RejectCode,
  type RelayMessage,
  type WireOperation,
} from '@tidemark/core/protocol'
import { describe, expect, it } from 'vitest'
import type { TestConnection, TestRelay } from './test-relay.test-support.js'
import { createTestRelay, settled } from './test-relay.test-support.js'
import { createWriter } from './writer.test-support.js'

async function push(
  connection: TestConnection,
  ...operations: readonly WireOperation[]
): Promise<readonly RelayMessage[]> {
  for (const operation of operations) connection.push(operation)
  await settled()
  return connection.take()
}

const reject = (code: RejectCode, retryable = false) => ({ type: 'reject', code, retryable })

/** What of a space is stored, to see that something had no effect. */
function stored({ disk }: TestRelay, space = 'team'): unknown {
  return structuredClone(disk.spaces.get(space))
}

describe('an accepted operation', () => {
  it('[L18] gets the next sequence of its space, and the digest of its bytes', async () => {
    const { join } = createTestRelay()
    const writer = createWriter()
    const [first, second] = [writer.write('one', { a: 1 }), writer.write('two', { a: 1 })]
    const connection = await join()
    expect(await push(connection, first, second)).toEqual([
      { type: 'ack', channel: 1, id: first.id, sequence: 1, digest: digestOf(first.parts) },
      {
        type: 'ack',
        channel: 1,
        id: second.id,
        sequence: 2,
        digest: digestOf(second.parts),
      },
    ])
    const elsewhere = await join({ space: 'other' })
    const third = createWriter().write('one', { a: 1 })
    expect(await push(elsewhere, third)).toMatchObject([{ type: 'ack', sequence: 1 }])
  })

  it('[L6] raises the version of its entity to the greatest of envelope and elements', async () => {
    const relay = createTestRelay()
    const writer = createWriter()
    const connection = await relay.join()
    const part = writer.part('one', { a: 1 })
    await push(connection, writer.operation({ ...part, sequence: 40, lastModified: 5 }))
    const head = relay.disk.spaces.get('team')?.entities.get('cards/one')?.head
    expect(head).toMatchObject({
      sequence: 1,
      versionSequence: 40,
      lastModified: part.lastModified,
    })
  })

  it('[L23] may create what another device created too: both sides stay', async () => {
    const relay = createTestRelay()
    const [ada, bo] = [
      createWriter(),
      createWriter({ user: 'bo', replica: 'replica-b', client: 2 }),
    ]
    const adas = await relay.join()
    const bos = await relay.join({ user: 'bo', replica: 'replica-b' })
    await push(adas, ada.write('one', { title: 'Hi', done: false }))
    expect(await push(bos, bo.write('one', { title: 'Ho', color: 'red' }))).toMatchObject([
      { type: 'ack' },
    ])
    expect(await valuesOf(relay, 'one')).toMatchObject({ done: false, color: 'red', title: 'Ho' })
  })
})

describe('the id of an operation', () => {
  it('[L10] [DUR-7] is an idempotency key: again means the same sequence and the same digest, and no effect', async () => {
    const relay = createTestRelay()
    const writer = createWriter()
    const connection = await relay.join()
    const operation = writer.write('one', { a: 1 })
    const [ack] = await push(connection, operation)
    await push(connection, writer.write('one', { a: 2 }))
    const before = stored(relay)
    expect(await push(connection, operation)).toEqual([ack])
    expect(stored(relay)).toEqual(before)
  })

  it('[L10] is looked up before the bytes are judged: re-encoded ones get the digest of the accepted ones', async () => {
    const relay = createTestRelay()
    const connection = await relay.join()
    const operation = createWriter().write('one', { a: 1 })
    const [ack] = await push(connection, operation)
    const other = { ...createWriter({ client: 9 }).write('one', { a: 5 }), id: operation.id }
    const garbage = { id: operation.id, parts: [] }
    expect(await push(connection, other, garbage)).toEqual([ack, ack])
  })

  it('[L10] holds within one batch as well', async () => {
    const relay = createTestRelay()
    const connection = await relay.join()
    const operation = createWriter().write('one', { a: 1 })
    const [first, second] = await push(connection, operation, operation)
    expect(first).toMatchObject({ type: 'ack', sequence: 1 })
    expect(second).toEqual(first)
  })

  it('[L10] is not told to other devices a second time', async () => {
    const relay = createTestRelay()
    const connection = await relay.join()
    const reader = await relay.join({ replica: 'replica-b', since: 0 })
    const operation = createWriter().write('one', { a: 1 })
    await push(connection, operation, operation)
    await push(connection, operation)
    expect(reader.take()).toHaveLength(1)
  })

  it("[S30] of somebody else is taken, and its fate nobody else's business", async () => {
    const relay = createTestRelay()
    const operation = createWriter().write('one', { a: 1 })
    await push(await relay.join(), operation)
    const stranger = await relay.join({ user: 'eve', replica: 'replica-e' })
    const hers = createWriter({ user: 'eve', replica: 'replica-e', client: 3 }).write('two', {
      a: 1,
    })
    expect(await push(stranger, { ...hers, id: operation.id })).toMatchObject([reject('invalid')])
    stranger.send({ type: 'fates', channel: 1, ids: [operation.id] })
    await settled()
    expect(stranger.take()).toEqual([{ type: 'fates', channel: 1, fates: [] }])
  })

  it('[L10] has a fate: sequence and digest when it was accepted, nothing otherwise', async () => {
    const relay = createTestRelay()
    const connection = await relay.join()
    const writer = createWriter()
    const accepted = writer.write('one', { a: 1 })
    const refused = { ...writer.write('one', { a: 2 }), parts: [] }
    await push(connection, accepted, refused)
    const again = await relay.join({ replica: 'replica-a' })
    again.send({ type: 'fates', channel: 1, ids: [refused.id, accepted.id, 'never-sent'] })
    await settled()
    expect(again.take()).toEqual([
      {
        type: 'fates',
        channel: 1,
        fates: [{ id: accepted.id, sequence: 1, digest: digestOf(accepted.parts) }],
      },
    ])
  })

  it.each(['', 'a b', 'x'.repeat(65), '../..', 'a\nb'])('%j is not one', async (id) => {
    const connection = await createTestRelay().join()
    const operation = { ...createWriter().write('one', { a: 1 }), id }
    expect(await push(connection, operation)).toMatchObject([reject('invalid')])
  })
})

describe('an operation is refused', () => {
  async function expectRefused(
    code: RejectCode,
    make: (part: OperationPart) => readonly OperationPart[],
    options: Parameters<typeof createTestRelay>[0] = {},
  ): Promise<void> {
    const relay = createTestRelay(options)
    const connection = await relay.join()
    const writer = createWriter()
    const operation = writer.operation(...make(writer.part('one', { a: 1 })))
    expect(await push(connection, operation)).toMatchObject([reject(code)])
    expect(stored(relay)).toBeUndefined()
  }

  it('when it has no parts', () => expectRefused('invalid', () => []))

  it('when it has too many parts', () =>
    expectRefused('too-large', (part) =>
      Array.from({ length: 65 }, (_, index) => ({ ...part, id: `e${index}` })),
    ))

  it('when it changes an entity twice', () => expectRefused('invalid', (part) => [part, part]))

  it('when it is too large', () =>
    expectRefused('too-large', (part) => [part, { ...part, id: 'two' }], {
      limits: { maxOperationBytes: 60 },
    }))

  it.each(['', '1cards', 'a/b', '__proto__', 'x'.repeat(65)])(
    '[S20] when a collection is named %j',
    (collection) => expectRefused('invalid', (part) => [{ ...part, collection }]),
  )

  it.each(['', '..', '.hidden', 'a/b', 'a b', 'x'.repeat(129)])(
    '[S20] when an entity is named %j',
    (id) => expectRefused('invalid', (part) => [{ ...part, id }]),
  )

  it.each(['', 'other', '00', '1.', '1.X', '-1', '0.1.2', '9'.repeat(10)])(
    '[L16] when its generation is %j, which is none',
    (generation) => expectRefused('invalid', (part) => [{ ...part, generation }]),
  )

  it('[L23] when it updates an entity that is unknown here', () =>
    expectRefused('gone', (part) => [{ ...part, kind: 'update' }]))

  it('when its bytes are not an update', () =>
    expectRefused('invalid', (part) => [{ ...part, update: Uint8Array.of(1, 2, 3) }]))

  it('[F11] when its bytes are cut', () =>
    expectRefused('invalid', (part) => [{ ...part, update: part.update.subarray(0, -1) }]))

  it('when its entity would get too large', () =>
    expectRefused('too-large', (part) => [part], { limits: { maxEntityBytes: 20 } }))

  it('[S17] when its entity would get too many client ids', () =>
    expectRefused('too-large', (part) => [part], { limits: { maxClientsPerEntity: 0 } }))
})

describe('a Yjs client id', () => {
  it('[L19] [SEC-4] belongs to the replica that used it first', async () => {
    const relay = createTestRelay()
    const ada = createWriter({ client: 7 })
    await push(await relay.join(), ada.write('one', { a: 1 }))
    const before = stored(relay)
    for (const author of [
      { user: 'eve', replica: 'replica-e' },
      { user: 'ada', replica: 'replica-z' },
    ]) {
      const forger = createWriter({ ...author, client: 7 })
      forger.learn('one', ada.part('one', { a: 2 }).update)
      const connection = await relay.join(author)
      expect(await push(connection, forger.write('one', { a: 3 }))).toMatchObject([
        reject('invalid'),
      ])
      expect(stored(relay)).toEqual(before)
    }
  })

  it('[L19] belongs to the replica, not to a connection: another tab may send under it', async () => {
    const relay = createTestRelay()
    const writer = createWriter()
    await push(await relay.join(), writer.write('one', { a: 1 }))
    const tab = await relay.join()
    expect(await push(tab, writer.write('one', { a: 2 }))).toMatchObject([
      { type: 'ack', sequence: 2 },
    ])
  })

  it('[L19] is bound for each entity by itself', async () => {
    const relay = createTestRelay()
    await push(await relay.join(), createWriter({ client: 7 }).write('one', { a: 1 }))
    const bo = await relay.join({ user: 'bo', replica: 'replica-b' })
    const his = createWriter({ user: 'bo', replica: 'replica-b', client: 7 })
    expect(await push(bo, his.write('two', { a: 1 }))).toMatchObject([{ type: 'ack' }])
  })

  it('[L19] is not bound by a refused operation', async () => {
    const relay = createTestRelay()
    const writer = createWriter({ client: 7 })
    const good = writer.part('one', { a: 1 })
    const bad = { ...writer.part('two', { a: 1 }), kind: 'update' as const }
    expect(await push(await relay.join(), writer.operation(good, bad))).toMatchObject([
      reject('gone'),
    ])
    const bo = await relay.join({ user: 'bo', replica: 'replica-b' })
    const his = createWriter({ user: 'bo', replica: 'replica-b', client: 7 })
    expect(await push(bo, his.write('one', { a: 1 }))).toMatchObject([{ type: 'ack' }])
  })
})

describe('the actor of a write', () => {
  it.each([
    ['another user', { user: 'eve' }],
    ['another replica of the user', { replica: 'replica-z' }],
  ])('[L19] must not be %s', async (_name, author) => {
    const relay = createTestRelay()
    const connection = await relay.join()
    expect(await push(connection, createWriter(author).write('one', { a: 1 }))).toMatchObject([
      reject('invalid'),
    ])
    expect(stored(relay)).toBeUndefined()
  })

  it('[L1] may name another client id of the replica: a rebase keeps stamps', async () => {
    const relay = createTestRelay()
    const rebased = createWriter({ client: 36 })
    const part = rebased.part('one', { a: 1 })
    const update = part.update.slice()
    const at = Buffer.from(update).lastIndexOf('/10')
    update.set(Buffer.from('/zz'), at)
    expect(await push(await relay.join(), rebased.operation({ ...part, update }))).toMatchObject([
      { type: 'ack' },
    ])
  })

  it.each(['/!!', '/Zz', '/00'])(
    'must end with a client id in base 36, not with %s',
    async (end) => {
      const relay = createTestRelay()
      const writer = createWriter({ client: 36 })
      const part = writer.part('one', { a: 1 })
      const update = part.update.slice()
      update.set(Buffer.from(end), Buffer.from(update).lastIndexOf('/10'))
      expect(await push(await relay.join(), writer.operation({ ...part, update }))).toMatchObject([
        reject('invalid'),
      ])
    },
  )
})

describe('a gap', () => {
  it('[L20] [SEC-3] is refused until the predecessor has come, at no cost', async () => {
    const relay = createTestRelay()
    const writer = createWriter()
    const connection = await relay.join()
    const [first, second, third] = [
      writer.write('one', { a: 1 }),
      writer.write('one', { a: 2 }),
      writer.write('one', { b: 1 }),
    ]
    await push(connection, first)
    expect(await push(connection, third)).toMatchObject([{ ...reject('gap', true), retryAfter: 0 }])
    expect(await push(connection, second, third)).toMatchObject([
      { type: 'ack', sequence: 2 },
      { type: 'ack', sequence: 3 },
    ])
  })

  it('is also what deletes something that is unknown here', async () => {
    const relay = createTestRelay()
    const writer = createWriter()
    const other = createWriter({ client: 2 })
    const connection = await relay.join()
    writer.learn('one', other.part('one', { a: 1 }).update)
    const create = { ...writer.part('one', { a: 2 }), kind: 'create' as const }
    expect(await push(connection, writer.operation(create))).toMatchObject([reject('gap', true)])
    expect(stored(relay)).toBeUndefined()
  })
})

describe('an operation of several parts', () => {
  it('[L21] [BAT-3] has all of its effects or none', async () => {
    const relay = createTestRelay()
    const writer = createWriter()
    const connection = await relay.join()
    const reader = await relay.join({ replica: 'replica-b', since: 0 })
    await push(connection, writer.write('one', { a: 1 }))
    const before = stored(relay)
    reader.take()

    const good = writer.part('one', { a: 2 })
    const bad = { ...writer.part('two', { a: 1 }), kind: 'update' as const }
    expect(await push(connection, writer.operation(good, bad))).toMatchObject([reject('gone')])
    expect(stored(relay)).toEqual(before)
    expect(reader.take()).toEqual([])

    const both = writer.operation(good, { ...bad, kind: 'create' })
    expect(await push(connection, both)).toMatchObject([{ type: 'ack', sequence: 2 }])
    expect(reader.take()).toEqual([{ type: 'changes', channel: 1, sequence: 2, operation: both }])
  })

  it('[L21] in one batch is judged against what came before it, and only against what was accepted', async () => {
    const relay = createTestRelay()
    const writer = createWriter()
    const connection = await relay.join()
    const create = writer.write('one', { a: 1 })
    const refused = writer.operation(writer.part('one', { a: 2 }), {
      ...writer.part('two', { a: 1 }),
      generation: 'other',
    })
    writer.forget('one', refused.parts[0]?.update ?? new Uint8Array())
    const next = writer.write('one', { a: 3 })
    expect(await push(connection, create, refused, next)).toMatchObject([
      { type: 'ack', sequence: 1 },
      reject('invalid'),
      { type: 'ack', sequence: 2 },
    ])
    expect(await valuesOf(relay, 'one')).toEqual({ a: 3 })
  })
})

describe('damaged bytes', () => {
  it('[DUR-9] make operations on that entity wait, and no others', async () => {
    const relay = createTestRelay()
    const writer = createWriter()
    const connection = await relay.join()
    await push(
      connection,
      writer.write('one', { text: 'x'.repeat(5_000) }),
      writer.write('two', { a: 1 }),
    )
    const row = relay.disk.spaces.get('team')?.entities.get('cards/one')?.updates[0]
    if (row?.bytes[20] === undefined) throw new Error('There is nothing to damage.')
    row.bytes[20] ^= 1
    const bystander = await relay.join({ replica: 'replica-b', since: 2 })
    bystander.take()
    const before = stored(relay)
    // Large enough that the entity has to be compacted, which reads it.
    expect(await push(connection, writer.write('one', { text: 'y'.repeat(5_000) }))).toMatchObject([
      { ...reject('unavailable', true) },
    ])
    expect(bystander.take()).toEqual([
      { type: 'wanted', channel: 1, entities: [{ collection: 'cards', id: 'one' }] },
    ])
    expect(stored(relay)).toEqual(before)
    expect(await push(connection, writer.write('two', { a: 2 }))).toMatchObject([{ type: 'ack' }])
    expect(relay.relay.ready()).toEqual({ ready: true })
  })
})

describe('storage', () => {
  it('[L17] stays proportional to live data: a field that is written on and on does not grow', async () => {
    const relay = createTestRelay()
    const writer = createWriter()
    const connection = await relay.join()
    const all: Uint8Array[] = []
    for (let round = 0; round < 40; round++) {
      const operations = Array.from({ length: 25 }, (_, index) => {
        const part = writer.part('one', { title: `title ${round} ${index}` })
        all.push(part.update)
        return writer.operation(part)
      })
      const answers = await push(connection, ...operations)
      expect(answers.every(({ type }) => type === 'ack')).toBe(true)
    }
    const entity = relay.disk.spaces.get('team')?.entities.get('cards/one')
    const size = (entity?.snapshot?.bytes.length ?? 0) + (entity?.head?.logBytes ?? 0)
    expect(size).toBeLessThan(6_000)
    expect(entity?.updates.length).toBeLessThanOrEqual(64)
    expect(await valuesOf(relay, 'one')).toEqual({ title: 'title 39 24' })
    // DUR-8: compaction changes bytes, never the document.
    const { entities } = await relay.storage.entitiesSince('team', 0, {
      maxEntities: 1,
      maxBytes: 1,
    })
    expect(compactUpdate(mergeUpdates(entities[0]?.log ?? []))).toEqual(
      compactUpdate(mergeUpdates(all)),
    )
  })
})

/** As it comes off the wire: a plain Uint8Array. */
function digestOf(parts: readonly OperationPart[]): Uint8Array {
  return Uint8Array.from(operationDigest(parts))
}

async function valuesOf({ storage }: TestRelay, id: string): Promise<unknown> {
  const { entities } = await storage.entitiesSince('team', 0, { maxEntities: 1_000, maxBytes: 1e9 })
  const log = entities.find(({ ref }) => ref.id === id)?.log ?? []
  return viewOf(decodeContent(mergeUpdates(log))).values
}
