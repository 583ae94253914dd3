import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CLOSE_CODES, PROTOCOL_VERSION, SUBPROTOCOL } from '@tidemark/core/protocol'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createWriter } from '../relay/writer.test-support.js'
import { createRelayServer, type RelayServer, type RelayServerOptions } from './relay-server.js'
import { connectWebSocket, joinOver } from './websocket-client.test-support.js'

async function start(options: RelayServerOptions = {}): Promise<RelayServer> {
  const server = await createRelayServer({ port: 0, ...options })
  onTestFinished(() => server.close())
  return server
}

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-server-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

describe('a websocket', () => {
  it.each(['/', '/sync', '/sync?from=app'])('at %s carries the protocol', async (path) => {
    const { url } = await start()
    const [author, reader] = [await connectWebSocket(url, { path }), await connectWebSocket(url)]
    expect(author.socket.protocol).toBe(SUBPROTOCOL)
    expect(author.socket.extensions).toBe('')
    await joinOver(author)
    await joinOver(reader, { user: 'bo', replica: 'replica-b' })
    const operation = createWriter().write('one', { title: 'Hi' })
    author.send({ type: 'push', channel: 1, operation })
    expect(await author.next('ack')).toMatchObject({ id: operation.id, sequence: 1 })
    expect(await reader.next('changes')).toMatchObject({ sequence: 1, operation })
  })

  it.each(['/other', '/health', '/sync/more'])('is not taken at %s', async (path) => {
    const { url } = await start()
    await expect(connectWebSocket(url, { path })).rejects.toThrow('404')
  })

  it('[S13] [SEC-7] is refused to a page of another origin', async () => {
    const { url } = await start()
    await expect(connectWebSocket(url, { origin: 'https://evil.example' })).rejects.toThrow('403')
    const own = await connectWebSocket(url, { origin: 'http://localhost:5173' })
    await joinOver(own)
  })

  it('[S13] [SEC-7] is taken from the origins on the list, and from no other, cookie or not', async () => {
    const { url } = await start({ origins: ['https://app.example'] })
    const headers = { cookie: 'session=1' }
    for (const origin of ['https://evil.example', 'http://localhost:5173', 'null'])
      await expect(connectWebSocket(url, { origin, headers })).rejects.toThrow('403')
    await joinOver(await connectWebSocket(url, { origin: 'https://app.example', headers }))
  })

  it('[SEC-6] of a user whose token is taken back is closed, with 0 bytes afterwards', async () => {
    const server = await start({ authenticate: ({ user }) => user })
    const [ada, bo] = [await connectWebSocket(server.url), await connectWebSocket(server.url)]
    await joinOver(ada)
    await joinOver(bo, { user: 'bo', replica: 'replica-b' })
    const { length } = ada.received
    const writer = createWriter({ user: 'bo', replica: 'replica-b' })
    server.revoke({ user: 'ada' })
    bo.send({ type: 'push', channel: 1, operation: writer.write('one', { a: 1 }) })
    await bo.next('ack')
    expect((await ada.closed).code).toBe(CLOSE_CODES.unauthorized)
    expect(ada.received).toHaveLength(length)
  })

  it('that sends text is closed', async () => {
    const { url } = await start()
    const client = await connectWebSocket(url)
    client.socket.send('hello')
    expect((await client.closed).code).toBe(CLOSE_CODES.protocolViolation)
  })

  it('gets what was said to it before it is closed in the same moment', async () => {
    const { url } = await start()
    const client = await connectWebSocket(url)
    const hello = { user: 'ada', token: '', replica: 'replica-a' }
    client.send({ type: 'hello', protocol: PROTOCOL_VERSION, ...hello })
    // Waits while the hello is checked, and is looked at right after the welcome.
    client.socket.send(Uint8Array.of(255))
    expect((await client.closed).code).toBe(CLOSE_CODES.protocolViolation)
    expect(client.received.map(({ type }) => type)).toEqual(['welcome'])
  })

  it('[S4] that sends too much at once is closed', async () => {
    const { url } = await start()
    const client = await connectWebSocket(url)
    await joinOver(client)
    client.socket.send(new Uint8Array(1024 * 1024 + 1))
    expect((await client.closed).code).toBe(1009)
  })

  it('[S5] that sends a message in countless fragments is closed', async () => {
    const { url } = await start()
    const client = await connectWebSocket(url)
    await joinOver(client)
    for (let index = 0; index < 2_000; index++) client.socket.send(Uint8Array.of(0), { fin: false })
    expect([1006, 1008]).toContain((await client.closed).code)
  })

  it('[S1] [SEC-1] that does not even speak the websocket protocol harms nobody', async () => {
    const { url, port } = await start()
    const bystander = await connectWebSocket(url)
    await joinOver(bystander)
    const raw = connect(port, '127.0.0.1')
    await once(raw, 'connect')
    raw.write(
      'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    await once(raw, 'data')
    // Not masked, reserved bits set, an opcode that doesn't exist.
    raw.write(Uint8Array.of(0xff, 0x05, 1, 2, 3, 4, 5))
    await once(raw, 'close')
    bystander.send({ type: 'ping', nonce: 1 })
    expect(await bystander.next('pong')).toMatchObject({ nonce: 1 })
  })
})

describe('starting', () => {
  it.each(['0.0.0.0', '::', '192.0.2.1', 'relay.example'])(
    'refuses %s without authentication, and says what to do',
    async (host) => {
      await expect(createRelayServer({ port: 0, host })).rejects.toMatchObject({
        code: 'host-not-loopback',
        message: expect.stringContaining('authentication'),
      })
    },
  )

  it('says so when something else has the port', async () => {
    const { port } = await start()
    await expect(createRelayServer({ port })).rejects.toMatchObject({ code: 'address-in-use' })
  })

  it('gives the data free when it fails', async () => {
    const { port } = await start()
    const data = makeDirectory()
    await expect(createRelayServer({ port, data })).rejects.toMatchObject({
      code: 'address-in-use',
    })
    await start({ data })
  })

  it('refuses data that another relay has', async () => {
    const data = makeDirectory()
    await start({ data })
    await expect(createRelayServer({ port: 0, data })).rejects.toMatchObject({
      code: 'data-locked',
    })
  })

  it('refuses a directory without an app', async () => {
    const publicDirectory = makeDirectory()
    await expect(createRelayServer({ port: 0, publicDirectory })).rejects.toMatchObject({
      code: 'public-missing',
    })
  })
})

describe('closing', () => {
  it('sends clients away to come back, and keeps what was acknowledged', async () => {
    const data = makeDirectory()
    const first = await createRelayServer({ port: 0, data })
    const client = await connectWebSocket(first.url)
    await joinOver(client)
    const operation = createWriter().write('one', { title: 'Hi' })
    client.send({ type: 'push', channel: 1, operation })
    await client.next('ack')
    await first.close()
    expect((await client.closed).code).toBe(CLOSE_CODES.restarting)

    const second = await start({ data })
    const again = await connectWebSocket(second.url)
    await joinOver(again)
    expect(again.received).toContainEqual(
      expect.objectContaining({ type: 'page', entities: [expect.objectContaining({ id: 'one' })] }),
    )
    again.send({ type: 'fates', channel: 1, ids: [operation.id] })
    expect(await again.next('fates')).toMatchObject({ fates: [{ id: operation.id, sequence: 1 }] })
  })

  it('does not wait for clients that do not answer', async () => {
    const server = await createRelayServer({ port: 0 })
    const client = await connectWebSocket(server.url)
    client.socket.pause()
    await server.close()
    client.socket.terminate()
  })

  it('twice is the same as once', async () => {
    const server = await createRelayServer({ port: 0 })
    await Promise.all([server.close(), server.close()])
  })
})
