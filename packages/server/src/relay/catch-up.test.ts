import type { EntityState } from '@tidemark/core/protocol'
import { describe, expect, it } from 'vitest'
import { type Log, silentLog } from '../log.js'
import { DEFAULT_LIMITS } from './limits.js'
import {
  createTestRelay,
  settled,
  type TestConnection,
  type TestRelayOptions,
} from './test-relay.test-support.js'
import { createWriter } from './writer.test-support.js'

/** A relay whose space `team` has `count` entities, `card-0` first. */
async function createFilled(count: number, options: TestRelayOptions = {}) {
  const relay = createTestRelay(options)
  const author = await relay.join({ replica: 'replica-z' })
  const writer = createWriter({ replica: 'replica-z', client: 26 })
  for (let index = 0; index < count; index++) author.push(writer.write(`card-${index}`, { index }))
  await settled()
  return { ...relay, author, writer }
}

async function subscribe(connection: TestConnection, since: number): Promise<void> {
  connection.send({ type: 'subscribe', channel: 1, since, fresh: false })
  await settled()
}

const pagesOf = (connection: TestConnection): readonly (readonly EntityState[])[] =>
  connection.received.flatMap((message) => (message.type === 'page' ? [message.entities] : []))

describe('a catch-up', () => {
  it('[L21] brings every entity that changed since, once, in the order of sequences', async () => {
    const { join, author, writer } = await createFilled(5, { limits: { pageEntities: 2 } })
    author.push(writer.write('card-1', { index: 100 }))
    await settled()
    const reader = await join()
    await subscribe(reader, 2)
    expect(
      pagesOf(reader)
        .flat()
        .map(({ id }) => id),
    ).toEqual(['card-2', 'card-3', 'card-4', 'card-1'])
    expect(reader.take().at(-1)).toEqual({ type: 'caughtUp', channel: 1, sequence: 6, horizon: 0 })
  })

  it('of somebody who has everything is one message', async () => {
    const { join } = await createFilled(3)
    const reader = await join()
    await subscribe(reader, 3)
    expect(reader.take()).toEqual([{ type: 'caughtUp', channel: 1, sequence: 3, horizon: 0 }])
  })

  it('tells the version and the sequence of each entity [L6]', async () => {
    const { join, disk } = await createFilled(1)
    const reader = await join()
    await subscribe(reader, 0)
    const head = disk.spaces.get('team')?.entities.get('cards/card-0')?.head
    expect(pagesOf(reader).flat()).toMatchObject([
      {
        collection: 'cards',
        id: 'card-0',
        generation: '0',
        confirmedSequence: 1,
        sequence: head?.versionSequence,
        lastModified: head?.lastModified,
      },
    ])
  })

  it('keeps its pages within the limit of bytes', async () => {
    const { join } = await createFilled(20, { limits: { pageBytes: 200 } })
    const reader = await join()
    await subscribe(reader, 0)
    const pages = pagesOf(reader)
    expect(pages.length).toBeGreaterThan(3)
    expect(pages.flat()).toHaveLength(20)
  })

  it('[SLOW-4] begins with a small page, so that something arrives as a whole on a link that is slow and cut', async () => {
    const relay = createTestRelay()
    const author = await relay.join()
    const writer = createWriter()
    for (let id = 0; id < 150; id++) {
      author.push(writer.write(`e${id}`, { a: 'x'.repeat(2_000) }))
      await settled()
    }
    const sizes = async (since: number): Promise<readonly number[]> => {
      const reader = await relay.join({ replica: 'replica-b' })
      await subscribe(reader, since)
      return pagesOf(reader).map((page) => page.reduce((sum, { bytes }) => sum + bytes.length, 0))
    }
    const [first = 0, second = 0, third = 0, ...others] = await sizes(0)
    expect(first).toBeLessThan(20_000)
    expect(second).toBeGreaterThan(first)
    expect(third).toBeGreaterThan(second)
    expect(others.length).toBeLessThan(4)
    // Whoever has got that far goes on from there, with a small page again.
    expect((await sizes(8))[0]).toBeLessThan(20_000)
  })

  it('[S7] [SLOW-1] goes no faster than its reader', async () => {
    const { join, clock } = await createFilled(6, { limits: { pageEntities: 2 } })
    const reader = await join()
    reader.bufferedBytes = DEFAULT_LIMITS.pageLowWater + 1
    await subscribe(reader, 0)
    clock.advance(1_000)
    await settled()
    expect(pagesOf(reader)).toHaveLength(0)
    reader.bufferedBytes = 0
    clock.advance(640)
    await settled()
    expect(pagesOf(reader)).toHaveLength(3)
    expect(reader.take().at(-1)).toMatchObject({ type: 'caughtUp', sequence: 6 })
  })

  it('ends with its connection', async () => {
    const { join, clock, relay } = await createFilled(6, { limits: { pageEntities: 2 } })
    const reader = await join()
    reader.bufferedBytes = DEFAULT_LIMITS.pageLowWater + 1
    await subscribe(reader, 0)
    reader.disconnect()
    reader.bufferedBytes = 0
    clock.advance(1_000)
    await settled()
    expect(pagesOf(reader)).toHaveLength(0)
    await relay.stop()
  })

  it('[DUR-9] leaves out an entity that is damaged, says so in the log and asks everybody for it', async () => {
    const damaged: unknown[] = []
    const log: Log = { ...silentLog, error: (fields) => damaged.push(fields) }
    const { join, disk } = await createFilled(3, { log })
    const bytes = disk.spaces.get('team')?.entities.get('cards/card-1')?.updates[0]?.bytes
    if (bytes?.[9] === undefined) throw new Error('There is nothing to damage.')
    bytes[9] ^= 4
    const bystander = await join({ replica: 'replica-b', since: 3 })
    const reader = await join()
    await subscribe(reader, 0)
    expect(
      pagesOf(reader)
        .flat()
        .map(({ id }) => id),
    ).toEqual(['card-0', 'card-2'])
    const wanted = {
      type: 'wanted',
      channel: 1,
      entities: [{ collection: 'cards', id: 'card-1' }],
    }
    const told = reader.take()
    expect(told.slice(-2)).toMatchObject([{ type: 'caughtUp', sequence: 3 }, wanted])
    expect(bystander.take()).toEqual([wanted])
    // Whoever comes later may be the one who has it.
    const late = await join({ replica: 'replica-c' })
    await subscribe(late, 3)
    expect(late.take()).toMatchObject([{ type: 'caughtUp' }, wanted])
    expect(damaged).toEqual([{ space: 'team', collection: 'cards', id: 'card-1' }])
  })
})
