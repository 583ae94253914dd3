import { describe, expect, it } from 'vitest'
import {
  createTestRelay,
  settled,
  type TestConnection,
  type TestRelay,
} from '../test-relay.test-support.js'
import { connectStock } from './stock-connection.test-support.js'

const TOPIC = 'cards/one'
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

async function tidemark(relay: TestRelay, user = 'ada'): Promise<TestConnection> {
  const connection = await relay.join({ user, replica: `replica-of-${user}` })
  connection.send({ type: 'join', channel: 1, topic: TOPIC })
  return connection
}

function say(connection: TestConnection, state: unknown): void {
  const bytes = state === undefined ? new Uint8Array() : bytesOf(state)
  connection.send({ type: 'presence', channel: 1, topic: TOPIC, peer: 'tab', state: bytes })
}

async function stock(relay: TestRelay, user = 'bo') {
  const connection = connectStock(relay, { user })
  connection.sync()
  await settled()
  return connection
}

/** What a Tidemark client knows of everybody by what it was told. */
function peersOf(connection: TestConnection): ReadonlyMap<string, unknown> {
  const peers = new Map<string, unknown>()
  for (const message of connection.received) {
    if (message.type !== 'presence') continue
    if (message.all) peers.clear()
    for (const { id, state } of message.peers) {
      if (state.length === 0) peers.delete(id)
      else peers.set(id, JSON.parse(new TextDecoder().decode(state)))
    }
  }
  return peers
}

/** What a stock client knows of the others. */
const statesOf = ({ awareness }: Awaited<ReturnType<typeof stock>>): unknown[] =>
  [...awareness.values()].flatMap(({ json }) => (json === 'null' ? [] : [JSON.parse(json)]))

const pass = (relay: TestRelay) => relay.clock.advance(200)

describe('who is at an entity', () => {
  it('is a peer for Tidemark clients and a state for stock ones, on either side', async () => {
    const relay = createTestRelay()
    const [ada, bo] = [await tidemark(relay), await stock(relay)]
    bo.sendAwareness({ client: 77, clock: 1, json: '{"user":{"name":"Bo"}}' })
    say(ada, { user: { name: 'Ada' } })
    pass(relay)
    expect(peersOf(ada)).toEqual(
      new Map([
        ['ada/tab', { user: { name: 'Ada' } }],
        [`bo/yjs-${(77).toString(36)}`, { user: { name: 'Bo' } }],
      ]),
    )
    expect(statesOf(bo)).toContainEqual({ user: { name: 'Ada' } })
    // Who comes later finds both.
    expect(statesOf(await stock(relay, 'cy'))).toHaveLength(2)
  })

  it('leaves on both sides', async () => {
    const relay = createTestRelay()
    const [ada, bo, cy] = [await tidemark(relay), await stock(relay), await stock(relay, 'cy')]
    bo.sendAwareness({ client: 77, clock: 1, json: '{"user":{"name":"Bo"}}' })
    say(ada, { user: { name: 'Ada' } })
    pass(relay)
    expect(statesOf(cy)).toHaveLength(2)
    bo.disconnect()
    say(ada, undefined)
    pass(relay)
    expect(peersOf(ada)).toEqual(new Map())
    expect(statesOf(cy)).toEqual([])
  })

  it('is told with a clock that goes up, again before stock clients would forget it', async () => {
    const relay = createTestRelay()
    const [ada, bo] = [await tidemark(relay), await stock(relay)]
    say(ada, { at: 1 })
    pass(relay)
    const [first] = [...bo.awareness.values()]
    for (let second = 0; second < 20; second++) relay.clock.advance(1_000)
    const [again] = [...bo.awareness.values()]
    expect(again).toMatchObject({ client: first?.client, json: '{"at":1}' })
    expect(again?.clock).toBeGreaterThan(first?.clock ?? 0)
  })

  it('is nobody else: a stock client cannot speak for a Tidemark client', async () => {
    const relay = createTestRelay()
    const [ada, bo, eve] = [await tidemark(relay), await stock(relay), await stock(relay, 'eve')]
    say(ada, { name: 'Ada' })
    pass(relay)
    const [{ client = 0, clock = 0 } = {}] = [...bo.awareness.values()]
    eve.sendAwareness({ client, clock: clock + 1e9, json: '{"name":"forged"}' })
    eve.sendAwareness({ client: 5, clock: 1, json: '{"name":"Eve"}' })
    pass(relay)
    expect(statesOf(bo)).toEqual([{ name: 'Ada' }, { name: 'Eve' }])
    expect(peersOf(ada).get('ada/tab')).toEqual({ name: 'Ada' })
  })

  it('may tell what is no object: editors get one', async () => {
    const relay = createTestRelay()
    const [ada, bo] = [await tidemark(relay), await stock(relay)]
    say(ada, 'here')
    pass(relay)
    expect(statesOf(bo)).toEqual([{ state: '"here"' }])
  })
})
