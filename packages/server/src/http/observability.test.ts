import { request } from 'node:http'
import { connect } from 'node:net'
import { CLOSE_CODES, encodeClientMessage, type OperationPart } from '@tidemark/core/protocol'
import { pino } from 'pino'
import { describe, expect, it, onTestFinished } from 'vitest'
import { hello } from '../relay/test-relay.test-support.js'
import { createWriter } from '../relay/writer.test-support.js'
import { createRelayServer, type RelayServer, type RelayServerOptions } from './relay-server.js'
import { connectWebSocket, joinOver } from './websocket-client.test-support.js'

async function start(options: RelayServerOptions = {}): Promise<RelayServer> {
  const server = await createRelayServer({ port: 0, ...options })
  onTestFinished(() => server.close())
  return server
}

/** The metrics by their name and labels, as they are written. */
async function metricsOf({ url }: RelayServer): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), Number(line.slice(at + 1))]
    }),
  )
}

describe('the metrics', () => {
  it('tell what happened and how things stand', async () => {
    const server = await start({ limits: { maxChannels: 1 } })
    const [author, reader] = [
      await connectWebSocket(server.url),
      await connectWebSocket(server.url),
    ]
    await joinOver(author)
    await joinOver(reader, { user: 'bo', replica: 'replica-b' })
    const writer = createWriter()
    const operation = writer.write('one', { title: 'Hi' })
    author.send({ type: 'push', channel: 1, operation })
    await author.next('ack')
    author.send({ type: 'push', channel: 1, operation })
    await author.next('ack')
    const [part] = operation.parts as [OperationPart]
    author.send({
      type: 'push',
      channel: 1,
      operation: { id: 'operation-bad', parts: [{ ...part, update: Uint8Array.of(1) }] },
    })
    await author.next('reject')
    author.send({ type: 'open', channel: 2, space: 'second' })
    expect((await author.closed).code).toBe(CLOSE_CODES.overloaded)
    await reader.next('changes')

    await metricsOf(server)
    const metrics = await metricsOf(server)
    const expected: Readonly<Record<string, number>> = {
      'tidemark_connections{state="open"}': 1,
      'tidemark_connections{state="greeting"}': 0,
      'tidemark_operations_total{verdict="accepted"}': 1,
      'tidemark_operations_total{verdict="known"}': 1,
      'tidemark_operations_total{verdict="invalid"}': 1,
      tidemark_commit_seconds_count: 3,
      tidemark_commit_operations_sum: 3,
      'tidemark_connections_closed_total{code="1013"}': 1,
      'tidemark_limits_hit_total{limit="maxChannels"}': 1,
      tidemark_catch_up_pages_total: 2,
      tidemark_spaces_open: 1,
      tidemark_spaces: 1,
      tidemark_entities: 1,
      tidemark_storage_failures_total: 0,
      'tidemark_queue_length{queue="operations"}': 0,
      'tidemark_queue_length{queue="reads"}': 0,
      tidemark_buffered_bytes: 0,
      tidemark_ready: 1,
    }
    for (const [name, value] of Object.entries(expected))
      expect([name, metrics.get(name)]).toEqual([name, value])
    for (const name of [
      'tidemark_received_bytes_total',
      'tidemark_sent_bytes_total',
      'process_resident_memory_bytes',
      'nodejs_heap_size_used_bytes',
      'process_cpu_seconds_total',
      'process_start_time_seconds',
    ])
      expect([name, (metrics.get(name) ?? 0) > 0]).toEqual([name, true])
    for (const quantile of ['0.5', '0.99', '1'])
      expect(metrics.has(`tidemark_event_loop_lag_seconds{quantile="${quantile}"}`)).toBe(true)
  })

  it('have no more labels however many users, spaces and addresses there are', async () => {
    const server = await start()
    const series = async (): Promise<number> => (await metricsOf(server)).size
    const join = async (name: string): Promise<void> => {
      const client = await connectWebSocket(server.url)
      await joinOver(client, { user: name, replica: `replica-${name}`, space: name })
      const writer = createWriter({ user: name, replica: `replica-${name}` })
      client.send({ type: 'push', channel: 1, operation: writer.write(name, { a: name }) })
      await client.next('ack')
    }
    await join('first')
    const before = await series()
    for (const name of ['zebra', 'okapi', 'quokka']) await join(name)
    expect(await series()).toBe(before)
    expect(await (await fetch(`${server.url}/metrics`)).text()).not.toMatch(/zebra|okapi|quokka/)
  })

  it('need the token where there is one', async () => {
    const { url } = await start({ metricsToken: 'swordfish' })
    expect((await fetch(`${url}/metrics`)).status).toBe(401)
    const headers = { Authorization: 'Bearer swordfish' }
    expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200)
  })
})

describe('the log', () => {
  it('[S27] has the code and the reason of every close, and never a token nor what is in an entity', async () => {
    const lines: string[] = []
    const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
    const token = 'swordfish-7f3a'
    const content = 'a secret in an entity'
    const { url } = await start({
      log,
      authenticate: ({ user, token: shown }) => (shown === token ? user : undefined),
    })
    const greet = (shown: string) => hello({ user: 'ada', replica: 'replica-a', token: shown })

    const good = await connectWebSocket(url, {
      path: `/?token=${token}`,
      headers: { Authorization: `Bearer ${token}`, Cookie: `token=${token}` },
    })
    good.send(greet(token))
    good.send({ type: 'open', channel: 1, space: 'team' })
    const writer = createWriter()
    good.send({ type: 'push', channel: 1, operation: writer.write('one', { title: content }) })
    await good.next('ack')
    good.socket.send(Uint8Array.of(4, ...Buffer.from(`${token}${content}`)))
    await good.closed

    const wrong = await connectWebSocket(url)
    wrong.send(greet(`${token}-wrong`))
    await wrong.closed
    const malformed = await connectWebSocket(url)
    malformed.socket.send(Buffer.concat([encodeClientMessage(greet(token)), Uint8Array.of(0)]))
    await malformed.closed
    const large = await connectWebSocket(url)
    large.send(greet(token.repeat(1_000)))
    await large.closed
    const left = await connectWebSocket(url)
    left.socket.close(1000)
    await left.closed
    await expect(connectWebSocket(url, { path: `/nothing?token=${token}` })).rejects.toThrow('404')
    await expect(
      connectWebSocket(url, { origin: 'https://evil.example', path: `/?token=${token}` }),
    ).rejects.toThrow('403')
    await fetch(`${url}/health?token=${token}`, { headers: { Authorization: `Bearer ${token}` } })

    const text = lines.join('')
    expect(text).not.toContain(token)
    expect(text).not.toContain(content)
    const closes = lines
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter(({ msg }) => String(msg).startsWith('connection closed'))
    expect(closes).toHaveLength(5)
    for (const close of closes) expect(close).toMatchObject({ code: expect.any(Number) })
    expect(closes.map(({ code }) => code)).toEqual([4400, 4401, 4400, 4400, 1000])
    for (const { reason } of closes.slice(0, 4)) expect(reason).toMatch(/\w/)
  })
})

describe('HTTP', () => {
  /** Sends raw bytes and returns what comes back until the other side ends it. */
  function raw(port: number, text: string): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text))
      let answer = ''
      socket.on('data', (data) => {
        answer += String(data)
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve(answer))
    })
  }

  it.each([
    [
      'headers that are too large',
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      '431',
    ],
    ['no HTTP at all', '\x16\x03\x01\x00\xa5\x01\x00', '400'],
    ['a request line without end', `GET /${'x'.repeat(40_000)}`, '431'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
      '400',
    ],
    ['a tunnel', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', ''],
  ])('[S26] ends %s', async (_name, text, status) => {
    const { url, port } = await start()
    expect(await raw(port, text)).toContain(status)
    expect((await fetch(`${url}/health`)).status).toBe(200)
  })

  it('answers a body that is too large, and takes no more of it', async () => {
    const { port } = await start()
    const status = await new Promise<number | undefined>((resolve) => {
      const upload = request(
        { port, host: '127.0.0.1', method: 'POST', path: '/health' },
        (response) => {
          response.resume()
          resolve(response.statusCode)
        },
      )
      upload.on('error', () => {})
      const chunk = Buffer.alloc(16 * 1024)
      const timer = setInterval(() => upload.write(chunk), 1)
      upload.on('close', () => clearInterval(timer))
    })
    expect(status).toBe(413)
  })
})

describe('connections', () => {
  it('[SEC-8] above what an address may have get an answer that says when to try again', async () => {
    const server = await start({ limits: { maxConnectionsPerAddress: 2 } })
    const { url } = server
    const first = await connectWebSocket(url)
    await connectWebSocket(url)
    await expect(connectWebSocket(url)).rejects.toThrow('429')
    const elsewhere = await connectWebSocket(url, { localAddress: '127.0.0.2' })
    await joinOver(elsewhere)
    expect(
      (await metricsOf(server)).get('tidemark_limits_hit_total{limit="maxConnectionsPerAddress"}'),
    ).toBe(1)
    first.socket.close()
    await first.closed
    await joinOver(await connectWebSocket(url), { replica: 'replica-b' })
  })

  it('[SEC-8] above what there may be in all are sent away', async () => {
    const { url } = await start({ limits: { maxConnections: 1 } })
    await connectWebSocket(url)
    await expect(connectWebSocket(url, { localAddress: '127.0.0.2' })).rejects.toThrow('503')
  })

  it('of a trusted proxy count by the address that it tells, and nobody else can tell one', async () => {
    const limits = { maxConnectionsPerAddress: 1 }
    const { url } = await start({ limits, trustProxy: ['127.0.0.1'] })
    const from = (address: string, localAddress = '127.0.0.1') =>
      connectWebSocket(url, { localAddress, headers: { 'X-Forwarded-For': address } })
    await from('1.1.1.1')
    await from('2.2.2.2')
    await expect(from('6.6.6.6, 1.1.1.1')).rejects.toThrow('429')
    await from('1.1.1.1', '127.0.0.2')
    await expect(from('3.3.3.3', '127.0.0.2')).rejects.toThrow('429')
  })

  it.each([
    [{ trustProxy: ['proxy.example'] }, 'proxy-invalid'],
    [{ limits: { maxChannels: -1 } }, 'limit-invalid'],
  ])('are not taken with %j', async (options, code) => {
    await expect(createRelayServer({ port: 0, ...options })).rejects.toMatchObject({ code })
  })
})

describe('a stop', () => {
  it('[NET-2] tells everybody when to come back, before it closes', async () => {
    const server = await createRelayServer({ port: 0, limits: { reconnectsPerSecond: 1 } })
    const clients = [await connectWebSocket(server.url), await connectWebSocket(server.url)]
    for (const [index, client] of clients.entries())
      await joinOver(client, { replica: `replica-${index}` })
    await server.close()
    for (const client of clients) {
      expect(await client.next('goodbye')).toEqual({ type: 'goodbye', spread: 2_000 })
      expect((await client.closed).code).toBe(CLOSE_CODES.restarting)
    }
  })
})
