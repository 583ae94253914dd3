import { describe, expect, it } from 'vitest'
import { createTestRelay, settled } from '../test-relay.test-support.js'
import { createAwarenessTable } from './awareness.js'
import { YJS_CLOSE_CODES } from './close-codes.js'
import { connectStock, type StockOptions } from './stock-connection.test-support.js'

const state = (client: number, clock: number, name = 'a') => ({
  client,
  clock,
  json: JSON.stringify({ name }),
})
const gone = (client: number, clock: number) => ({ client, clock, json: 'null' })

describe('an awareness table', () => {
  it('[SEC-5] [SEC-10] lets a connection speak for one client id, and leaves out what it repeats of others', () => {
    const table = createAwarenessTable<{ readonly user: string }>()
    const [ada, bo] = [{ user: 'ada' }, { user: 'bo' }]
    expect(table.take(ada, [state(1, 1)], 0)).toEqual([state(1, 1)])
    expect(table.take(bo, [state(2, 1)], 0)).toEqual([state(2, 1)])
    expect(table.take(bo, [state(1, 9, 'forged'), gone(1, 10), state(3, 1)], 0)).toEqual([])
    expect(table.take(bo, [state(2, 2, 'b'), state(1, 1)], 0)).toEqual([state(2, 2, 'b')])
    expect(table.all()).toEqual([state(1, 1), state(2, 2, 'b')])
  })

  it('takes nothing that is older, and tells nothing that is known', () => {
    const table = createAwarenessTable<{ readonly user: string }>()
    const ada = { user: 'ada' }
    table.take(ada, [state(1, 5)], 0)
    expect(table.take(ada, [state(1, 4, 'old')], 0)).toEqual([])
    expect(table.take(ada, [state(1, 5)], 0)).toEqual([])
    expect(table.take(ada, [gone(1, 6)], 0)).toEqual([gone(1, 6)])
    expect(table.take(ada, [state(1, 7)], 0)).toEqual([state(1, 7)])
  })

  it('gives a client id to a later connection of the same user, and of nobody else', () => {
    const table = createAwarenessTable<{ readonly user: string }>()
    const [former, later, other] = [{ user: 'ada' }, { user: 'ada' }, { user: 'bo' }]
    table.take(former, [state(1, 1)], 0)
    expect(table.take(other, [state(1, 2, 'forged')], 0)).toEqual([])
    expect(table.take(later, [state(1, 2)], 0)).toEqual([state(1, 2)])
    expect(table.leave(former)).toEqual([])
    expect(table.leave(later)).toEqual([gone(1, 2)])
    expect(table.all()).toEqual([])
  })

  it('forgets who has said nothing for 30 seconds', () => {
    const table = createAwarenessTable<{ readonly user: string }>()
    table.take({ user: 'ada' }, [state(1, 1)], 0)
    table.take({ user: 'bo' }, [state(2, 1)], 20_000)
    expect(table.expire(30_000)).toEqual([])
    expect(table.expire(30_001)).toEqual([gone(1, 1)])
    expect(table.all()).toEqual([state(2, 1)])
  })
})

describe('awareness at the relay', () => {
  async function join(relay: ReturnType<typeof createTestRelay>, options: StockOptions = {}) {
    const connection = connectStock(relay, options)
    connection.sync()
    await settled()
    return connection
  }

  it('reaches everybody in the room, also newcomers, and ends with the connection', async () => {
    const relay = createTestRelay()
    const [ada, bo] = [await join(relay, { user: 'ada' }), await join(relay)]
    ada.sendAwareness(state(1, 1))
    relay.clock.advance(50)
    const cy = await join(relay, { user: 'cy' })
    for (const { awareness } of [bo, cy]) expect(awareness.get(1)).toEqual(state(1, 1))
    ada.disconnect()
    relay.clock.advance(50)
    for (const { awareness } of [bo, cy]) expect(awareness.get(1)).toEqual(gone(1, 1))
  })

  it('is told as one frame, however fast somebody moves', async () => {
    const relay = createTestRelay()
    const [ada, bo] = [await join(relay, { user: 'ada' }), await join(relay)]
    const before = bo.awarenessFrames
    for (let clock = 1; clock <= 100; clock++) ada.sendAwareness(state(1, clock, `at ${clock}`))
    relay.clock.advance(50)
    expect(bo.awarenessFrames - before).toBe(1)
    expect(bo.awareness.get(1)).toEqual(state(1, 100, 'at 100'))
  })

  it('of another entity is not heard', async () => {
    const relay = createTestRelay()
    const ada = await join(relay, { user: 'ada' })
    const bo = await join(relay, { path: '/yjs/team/cards/two' })
    ada.sendAwareness(state(1, 1))
    relay.clock.advance(50)
    expect(bo.awareness.size).toBe(0)
  })

  it('[SEC-10] that is too large closes its connection', async () => {
    const relay = createTestRelay()
    const ada = await join(relay, { user: 'ada' })
    ada.sendAwareness(state(1, 1, 'x'.repeat(10_000)))
    expect(ada.closed?.code).toBe(YJS_CLOSE_CODES.tooLarge)
  })
})
