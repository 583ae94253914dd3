import { CLOSE_CODES, PROTOCOL_VERSION } from '@tidemark/core/protocol'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startRelayCommand } from '../support/relay-command.js'
import {
  connectWire,
  createWireWriter,
  joinWire,
  titleOf,
  type WireClient,
} from '../support/wire-client.js'

const READERS = 100
const CAP = 256 * 1024
/** Large enough that kernels don't take all of them off the relay's hands. */
const VALUE = 'x'.repeat(192 * 1024)
const MOST_WRITES = 200

describe('readers that stand still', () => {
  test('[S7] [SEC-9] [O10] are cut at the cap and catch up later, and nobody else notices', async () => {
    const relay = await startRelayCommand({ limits: { maxBufferedBytes: CAP } })
    const clients: WireClient[] = []
    onTestFinished(async () => {
      for (const { socket } of clients) socket.terminate()
      await relay.dispose()
    })
    const join = async (user: string, since = 0): Promise<WireClient> => {
      const client = await joinWire(
        relay.webSocketUrl,
        { user, replica: `replica-${user}` },
        'team',
        since,
      )
      clients.push(client)
      return client
    }
    const author = await join('author')
    const bystander = await join('bystander')
    const slow: WireClient[] = []
    for (let index = 0; index < READERS; index++) slow.push(await join(`slow-${index}`))
    for (const { socket } of slow) socket.pause()

    const writer = createWireWriter({ user: 'author', replica: 'replica-author' }, 1, 'write')
    let mostBuffered = 0
    let writes = 0
    const openConnections = async (): Promise<number> => {
      const metrics = await relay.metrics()
      mostBuffered = Math.max(mostBuffered, metrics.get('tidemark_buffered_bytes') ?? 0)
      return metrics.get('tidemark_connections{state="open"}') ?? 0
    }
    while ((await openConnections()) > 2 && writes < MOST_WRITES) {
      writes += 1
      const operation = writer.write('card', `${writes} ${VALUE}`)
      author.send({ type: 'push', channel: 1, operation })
      await author.until('ack', ({ sequence }) => sequence === writes)
      await bystander.until('changes', ({ sequence }) => sequence === writes)
    }

    expect(await openConnections()).toBe(2)
    // One frame more than the cap at most: what was sent when it went over.
    expect(mostBuffered).toBeLessThanOrEqual((READERS + 2) * (CAP + VALUE.length + 1_024))
    const metrics = await relay.metrics()
    expect(metrics.get('tidemark_limits_hit_total{limit="maxBufferedBytes"}')).toBe(READERS)
    expect(metrics.get(`tidemark_connections_closed_total{code="${CLOSE_CODES.slowReader}"}`)).toBe(
      READERS,
    )
    const told = bystander.received.filter(({ type }) => type === 'changes')
    expect(told.map((message) => ('sequence' in message ? message.sequence : 0))).toEqual(
      Array.from({ length: writes }, (_, index) => index + 1),
    )

    // They come back and read what there is, each from where it was.
    for (const { socket } of slow) socket.terminate()
    for (let index = 0; index < READERS; index++) {
      const back = await join(`slow-${index}`)
      expect(await back.until('caughtUp')).toMatchObject({ sequence: writes })
      const page = await back.until('page')
      expect(String(titleOf(page.entities[0]?.bytes ?? new Uint8Array()))).toMatch(
        new RegExp(`^${writes} `),
      )
      back.socket.terminate()
    }
  })

  test('[SLOW-1] [S7] in the middle of catching up hold up neither writers nor other readers', async () => {
    const relay = await startRelayCommand({ limits: { maxStall: 1_000 } })
    const clients: WireClient[] = []
    onTestFinished(async () => {
      for (const { socket } of clients) socket.terminate()
      await relay.dispose()
    })
    const identity = (name: string) => ({ user: name, replica: `replica-${name}` })
    const author = await joinWire(relay.webSocketUrl, identity('author'), 'team')
    clients.push(author)
    const writer = createWireWriter(identity('author'), 1, 'write')
    const entities = 100
    for (let index = 0; index < entities; index++) {
      author.send({ type: 'push', channel: 1, operation: writer.write(`card-${index}`, VALUE) })
      await author.until('ack', ({ sequence }) => sequence === index + 1)
    }
    // 19 MB each: far more than the kernel takes.
    const stuck: WireClient[] = []
    for (let index = 0; index < 20; index++) {
      const client = await connectWire(relay.webSocketUrl)
      clients.push(client)
      stuck.push(client)
      client.send({
        type: 'hello',
        protocol: PROTOCOL_VERSION,
        token: '',
        ...identity(`stuck-${index}`),
      })
      client.send({ type: 'open', channel: 1, space: 'team' })
      client.send({ type: 'subscribe', channel: 1, since: 0, fresh: true })
      client.socket.pause()
    }
    const reader = await joinWire(relay.webSocketUrl, identity('reader'), 'team')
    clients.push(reader)
    const operation = writer.write('card-late', 'late')
    author.send({ type: 'push', channel: 1, operation })
    await author.until('ack', ({ id }) => id === operation.id)
    await reader.until('changes', ({ operation: { id } }) => id === operation.id)
    // Until time shows that they stand still.
    const ofCut = `tidemark_connections_closed_total{code="${CLOSE_CODES.slowReader}"}`
    await expect
      .poll(async () => (await relay.metrics()).get(ofCut), { timeout: 60_000, interval: 500 })
      .toBe(stuck.length)
    expect(author.isOpen && reader.isOpen).toBe(true)
  })
})
