import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS } from './limits.js'
import {
  createTestRelay,
  settled,
  type TestConnection,
  type TestRelay,
} from './test-relay.test-support.js'
import { createWriter, type Writer } from './writer.test-support.js'

const { retention, housekeepingInterval } = DEFAULT_LIMITS

interface Household extends TestRelay {
  readonly author: TestConnection
  readonly writer: Writer
  /** Deletes the card, or brings it back. */
  setDeleted(id: string, isDeleted: boolean): void
  ids(): readonly string[]
  pass(milliseconds: number): Promise<void>
}

async function createHousehold(): Promise<Household> {
  const relay = createTestRelay()
  const { clock, disk } = relay
  const author = await relay.join({ since: 0 })
  const writer = createWriter()
  return {
    ...relay,
    author,
    writer,
    setDeleted: (id, isDeleted) =>
      author.push(writer.write(id, { $deleted: isDeleted ? clock.now() : null })),
    ids: () => [...(disk.spaces.get('team')?.entities.values() ?? [])].map(({ ref }) => ref.id),
    async pass(milliseconds) {
      await settled()
      for (let left = milliseconds; left > 0; left -= housekeepingInterval) {
        clock.advance(Math.min(left, housekeepingInterval))
        await settled()
        await settled()
      }
    },
  }
}

async function fill(household: Household, ...ids: readonly string[]): Promise<void> {
  for (const id of ids) household.author.push(household.writer.write(id, { title: id }))
  await settled()
}

describe('a tombstone', () => {
  it('[DEL-5] is kept for the retention, then it is gone, and everybody who listens is told', async () => {
    const household = await createHousehold()
    await fill(household, 'a', 'b')
    household.setDeleted('a', true)
    await household.pass(retention)
    expect(household.ids()).toEqual(['a', 'b'])
    household.author.take()
    await household.pass(2 * housekeepingInterval)
    expect(household.ids()).toEqual(['b'])
    expect(household.author.take()).toEqual([{ type: 'purged', channel: 1, horizon: 3 }])
  })

  it('[DEL-5] that was restored stays, and all that came after', async () => {
    const household = await createHousehold()
    await fill(household, 'a', 'b')
    household.setDeleted('a', true)
    household.setDeleted('b', true)
    await settled()
    household.setDeleted('a', false)
    await household.pass(retention + 2 * housekeepingInterval)
    expect(household.ids()).toEqual(['a'])
    const head = household.disk.spaces.get('team')?.entities.get('cards/a')?.head
    expect(head?.tombstoneAt).toBeNull()
  })

  it('is as old as the last change of what was deleted', async () => {
    const household = await createHousehold()
    await fill(household, 'a')
    household.setDeleted('a', true)
    await household.pass(retention / 2)
    await fill(household, 'a')
    await household.pass(retention / 2 + 2 * housekeepingInterval)
    expect(household.ids()).toEqual(['a'])
    await household.pass(retention / 2)
    expect(household.ids()).toEqual([])
  })

  it('[DEL-5] [L23] never goes before an older one: the horizon leaves nothing behind', async () => {
    const household = await createHousehold()
    const ids = Array.from({ length: 700 }, (_, index) => `card-${index}`)
    for (const id of ids) {
      household.author.push(household.writer.write(id, { $deleted: 1 }))
      if (id.endsWith('9')) await settled()
    }
    await settled()
    household.author.take()
    await household.pass(retention + 2 * housekeepingInterval)
    expect(household.ids()).toEqual([])
    const horizons = household.author
      .take()
      .flatMap((message) => (message.type === 'purged' ? [message.horizon] : []))
    expect(horizons.length).toBeGreaterThan(2)
    expect(horizons).toEqual([...horizons].sort((a, b) => a - b))
    expect(horizons.at(-1)).toBe(700)
  })

  it('[DEL-2] that is gone does not come back with an update of somebody who slept', async () => {
    const household = await createHousehold()
    await fill(household, 'a')
    household.setDeleted('a', true)
    await household.pass(retention + 2 * housekeepingInterval)
    household.author.take()
    await fill(household, 'a')
    expect(household.author.take()).toMatchObject([{ type: 'reject', code: 'gone' }])
    expect(household.ids()).toEqual([])
  })
})

describe('a reader', () => {
  async function purged(): Promise<Household> {
    const household = await createHousehold()
    await fill(household, 'a', 'b', 'c')
    household.setDeleted('b', true)
    await household.pass(retention + 2 * housekeepingInterval)
    await fill(household, 'd')
    return household
  }

  async function read(household: Household, since: number, fresh = false): Promise<unknown[]> {
    const reader = await household.join({ replica: 'replica-r' })
    reader.send({ type: 'subscribe', channel: 1, since, fresh })
    await settled()
    return reader
      .take()
      .flatMap((message): unknown[] =>
        message.type === 'page' ? message.entities.map(({ id }) => id) : [message],
      )
  }

  const caughtUp = { type: 'caughtUp', channel: 1, sequence: 5, horizon: 4 }

  it('[DEL-5] [L23] whose checkpoint is older than the horizon gets everything from the start', async () => {
    const household = await purged()
    expect(await read(household, 3)).toEqual([
      { type: 'reset', channel: 1 },
      'a',
      'c',
      'd',
      caughtUp,
    ])
  })

  it('[L23] at the horizon, with nothing, or who starts from nothing, goes on from where it is', async () => {
    const household = await purged()
    expect(await read(household, 4)).toEqual(['d', caughtUp])
    expect(await read(household, 0)).toEqual(['a', 'c', 'd', caughtUp])
    expect(await read(household, 3, true)).toEqual(['d', caughtUp])
  })
})

describe('the id of an operation', () => {
  it('[L10] is remembered for the retention, and forgotten then', async () => {
    const household = await createHousehold()
    const operation = household.writer.write('a', { title: 'a' })
    household.author.push(operation)
    await household.pass(retention - housekeepingInterval)
    household.author.push(operation)
    await settled()
    expect(household.author.take().at(-1)).toMatchObject({ type: 'ack', sequence: 1 })
    await household.pass(3 * housekeepingInterval)
    expect(household.disk.spaces.get('team')?.operations.size).toBe(0)
  })
})
