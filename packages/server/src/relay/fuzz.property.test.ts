import { compactUpdate, mergeUpdates } from '@tidemark/core/entity'
import { type ClientMessage, encodeClientMessage } from '@tidemark/core/protocol'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { createTestRelay, hello, settled, type TestRelay } from './test-relay.test-support.js'
import { createWriter } from './writer.test-support.js'

const RUNS = 400

type Mutation =
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }

const position = fc.double({ min: 0, max: 0.999_999, noNaN: true })
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: position }),
  fc.record({ kind: fc.constant('flip' as const), at: position, bit: fc.nat(7) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: position,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }),
  }),
)

function mutate(frame: Uint8Array, changes: readonly Mutation[]): Uint8Array {
  let bytes = [...frame]
  for (const change of changes) {
    const at = Math.floor(change.at * bytes.length)
    if (change.kind === 'cut') bytes = bytes.slice(0, at)
    else if (change.kind === 'insert') bytes.splice(at, 0, ...change.bytes)
    else bytes[at] = (bytes[at] ?? 0) ^ (1 << change.bit)
  }
  return Uint8Array.from(bytes)
}

/** What an honest client could send; fresh each time, as writers remember. */
function honestMessages(): readonly ClientMessage[] {
  const writer = createWriter({ user: 'eve', replica: 'replica-e', client: 5 })
  return [
    hello({ user: 'eve', replica: 'replica-e' }),
    { type: 'open', channel: 2, space: 'other' },
    { type: 'fates', channel: 1, ids: ['operation-1', 'operation-2'] },
    { type: 'subscribe', channel: 1, since: 0, fresh: false },
    {
      type: 'push',
      channel: 1,
      operation: writer.write('hers', { a: 1, b: 'text', c: [1, { d: null }] }),
    },
    {
      type: 'push',
      channel: 1,
      operation: writer.operation(writer.part('x', { a: 1 }), writer.part('y', { a: 1 })),
    },
    { type: 'ping', nonce: 1 },
  ]
}

/** What an attack must not have broken: the stored documents load, and whoever was there goes on working. */
async function expectIntact(relay: TestRelay, accepted: number): Promise<void> {
  const space = relay.disk.spaces.get('team')
  expect(space?.sequence).toBe(1 + accepted)
  expect(space?.operations.size).toBe(1 + accepted)
  const page = await relay.storage.entitiesSince('team', 0, { maxEntities: 100, maxBytes: 1e9 })
  expect(page.corrupt).toEqual([])
  for (const { log } of page.entities) compactUpdate(mergeUpdates(log))
  expect(relay.relay.ready()).toEqual({ ready: true })
}

let acceptedInAll = 0
let refusedInAll = 0

async function attack(makeFrames: () => readonly Uint8Array[], greeted: boolean): Promise<void> {
  const relay = createTestRelay()
  const victim = await relay.join({ since: 0 })
  const writer = createWriter()
  victim.push(writer.write('mine', { title: 'Hi' }))
  await settled()
  victim.take()

  const attacker = greeted
    ? await relay.join({ user: 'eve', replica: 'replica-e' })
    : relay.connect()
  for (const frame of makeFrames()) attacker.sendBytes(frame)
  await settled()

  const accepted = victim.take().filter(({ type }) => type === 'changes').length
  await expectIntact(relay, accepted)
  if (!greeted) expect(accepted).toBe(0)
  acceptedInAll += accepted
  if (attacker.closed !== undefined) refusedInAll += 1
  expect(victim.closed).toBeUndefined()
  victim.push(writer.write('mine', { title: 'Ho' }))
  await settled()
  expect(victim.take()).toMatchObject([{ type: 'ack', sequence: 2 + accepted }])
}

describe('a hostile client', () => {
  it('[SEC-1] [S1] writes nothing with random bytes, and harms nobody', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 5 }),
        fc.boolean(),
        (frames, greeted) => attack(() => frames, greeted),
      ),
      { numRuns: RUNS },
    )
  })

  it('[SEC-1] [SEC-2] [S2] writes nothing but valid operations of its own with mutated frames', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(6), fc.array(mutation, { maxLength: 2 })), { maxLength: 6 }),
        fc.boolean(),
        (choices, greeted) =>
          attack(() => {
            const messages = honestMessages().map(encodeClientMessage)
            return choices.map(([index, changes]) =>
              mutate(messages[index] ?? new Uint8Array(), changes),
            )
          }, greeted),
      ),
      { numRuns: RUNS },
    )
  })

  it('[SEC-2] [F11] has no effect with a cut or flipped update unless it is a valid one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 2 }), (changes) =>
        attack(() => {
          const writer = createWriter({ user: 'eve', replica: 'replica-e', client: 5 })
          const part = writer.part('hers', { a: 1, b: 'text', c: [1, { d: null }] })
          const operation = writer.operation({ ...part, update: mutate(part.update, changes) })
          return [encodeClientMessage({ type: 'push', channel: 1, operation })]
        }, true),
      ),
      { numRuns: RUNS },
    )
  })

  afterAll(() => {
    // The frames did get past the first checks, some of them all the way.
    expect(acceptedInAll).toBeGreaterThan(0)
    expect(refusedInAll).toBeGreaterThan(100)
  })
})
