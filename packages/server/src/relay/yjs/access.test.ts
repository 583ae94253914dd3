import { describe, expect, it } from 'vitest'
import type { Credentials, Identity, Proof } from '../ports.js'
import { createTestRelay, settled, type TestRelayOptions } from '../test-relay.test-support.js'
import { connectStock, type StockOptions, step2Of } from './stock-connection.test-support.js'

const START = 1_700_000_000_000

/** A relay to which a token is the name of what it proves. */
function relayWith(tokens: Readonly<Record<string, Identity>>, options: TestRelayOptions = {}) {
  const authenticate = ({ token }: Credentials): Proof => tokens[token]
  const relay = createTestRelay({ authenticate, ...options })
  return {
    ...relay,
    operations: () => relay.disk.spaces.get('team')?.operations.size ?? 0,
    async join(options: StockOptions = {}) {
      const connection = connectStock(relay, options)
      connection.sync()
      await settled()
      return connection
    },
  }
}

const BO: Identity = { user: 'bo', spaces: { team: 'write' } }
const READER: Identity = { user: 'eve', spaces: { team: 'read' } }

describe('a stock client with a token', () => {
  it('is whoever the token says, whether it names itself or not', async () => {
    const relay = relayWith({ t: BO })
    for (const user of [undefined, 'bo'])
      expect((await relay.join({ token: 't', user })).closed).toBe(undefined)
    expect((await relay.join({ token: 't', user: 'ada' })).closed?.code).toBe(4401)
    expect((await relay.join({ token: 'other', user: undefined })).closed?.code).toBe(4401)
  })

  it('[SEC-5] [F19] that may read gets the document and awareness, and stores nothing', async () => {
    const relay = relayWith({ t: BO, r: READER })
    const bo = await relay.join({ token: 't' })
    bo.doc.getText('body').insert(0, 'Ebb')
    await settled()
    const eve = await relay.join({ token: 'r', user: 'eve' })
    eve.sendAwareness({ client: eve.doc.clientID, clock: 1, json: '{"name":"eve"}' })
    // What it answers by itself, with nothing new in it.
    eve.sendBytes(step2Of(eve.doc))
    relay.clock.advance(50)
    await settled()
    expect([eve.closed, eve.doc.getText('body').toString()]).toEqual([undefined, 'Ebb'])
    expect(bo.awareness.get(eve.doc.clientID)?.json).toBe('{"name":"eve"}')
    eve.doc.getText('body').insert(0, 'x')
    await settled()
    expect([eve.closed?.code, relay.operations()]).toEqual([4403, 1])
  })

  it('[SEC-15] for another space gets nothing', async () => {
    const relay = relayWith({ t: { user: 'bo', spaces: { other: 'admin' } } })
    const bo = await relay.join({ token: 't' })
    expect([bo.closed?.code, bo.syncMessages, bo.awarenessFrames]).toEqual([4403, [], 0])
  })

  it('[SEC-6] that expires is closed at that time, with nothing in or out afterwards', async () => {
    const relay = relayWith({ t: { ...BO, expiresAt: START + 1_000 }, u: { ...BO, user: 'cy' } })
    const bo = await relay.join({ token: 't' })
    const cy = await relay.join({ token: 'u', user: 'cy' })
    relay.clock.advance(1_000)
    expect(bo.closed?.code).toBe(4401)
    const before = bo.syncMessages.length
    cy.doc.getText('body').insert(0, 'Ebb')
    await settled()
    expect([bo.syncMessages.length, bo.doc.getText('body').toString()]).toEqual([before, ''])
  })

  it('[SEC-6] that is taken back is closed at once, everywhere or for its space', async () => {
    const relay = relayWith({ t: BO, u: { ...BO, user: 'cy' } })
    const bo = await relay.join({ token: 't' })
    const cy = await relay.join({ token: 'u', user: 'cy' })
    relay.relay.revoke({ user: 'bo' })
    relay.relay.revoke({ user: 'cy', space: 'other' })
    expect([bo.closed?.code, cy.closed]).toEqual([4401, undefined])
    relay.relay.revoke({ user: 'cy', space: 'team' })
    expect(cy.closed?.code).toBe(4403)
  })

  it('[SEC-6] that is taken back while its role is being asked for is closed then', async () => {
    let tell: (role: 'write') => void = () => {}
    const role = new Promise<'write'>((resolve) => {
      tell = resolve
    })
    const relay = relayWith({ t: { user: 'bo', spaces: () => role } })
    const bo = await relay.join({ token: 't' })
    relay.relay.revoke({ user: 'bo' })
    tell('write')
    await settled()
    expect([bo.closed?.code, bo.syncMessages]).toEqual([4401, []])
  })

  it('is told to try again when nobody can say who it is', async () => {
    const relay = relayWith(
      {},
      {
        authenticate: () => {
          throw new Error('The user database is down.')
        },
      },
    )
    expect((await relay.join({ token: 't' })).closed?.code).toBe(1013)
  })
})

describe('what an app says of changes', () => {
  it('counts for stock clients too', async () => {
    const asked: string[] = []
    const relay = relayWith(
      { t: BO, u: { ...BO, user: 'cy' } },
      {
        authorize(user, { kind, collection }) {
          asked.push(`${user} ${kind} ${collection}`)
          return user === 'bo' || 'Only Bo writes here.'
        },
      },
    )
    const bo = await relay.join({ token: 't' })
    bo.doc.getText('body').insert(0, 'Ebb')
    await settled()
    const cy = await relay.join({ token: 'u', user: 'cy' })
    cy.doc.getText('body').insert(0, 'x')
    await settled()
    expect(asked).toEqual(['bo create cards', 'cy update cards'])
    expect([bo.closed, cy.closed]).toEqual([
      undefined,
      { code: 4403, reason: expect.stringContaining('Only Bo') },
    ])
    expect(relay.operations()).toBe(1)
  })
})
