import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'
import { createRelayServer, type RelayServer, type RelayServerOptions } from './relay-server.js'

const ROOM = '/yjs/team/cards/one'

async function start(options: RelayServerOptions = {}): Promise<RelayServer> {
  const server = await createRelayServer({ port: 0, ...options })
  onTestFinished(() => server.close())
  return server
}

interface Outcome {
  /** The kind of the first message that came. */
  readonly first: number | undefined
  readonly code: number | undefined
  readonly protocol: string
}

/** Connects, sends something, and waits for the first word of the relay. */
async function outcomeOf(
  { url }: RelayServer,
  path: string,
  protocols: readonly string[] = [],
  options: ClientOptions & { readonly send?: Uint8Array } = {},
): Promise<Outcome> {
  const socket = new WebSocket(url.replace('http', 'ws') + path, [...protocols], options)
  onTestFinished(() => socket.terminate())
  const closed = once(socket, 'close')
  const opened = once(socket, 'open')
  const message = once(socket, 'message')
  for (const promise of [closed, message]) promise.catch(() => undefined)
  await opened
  if (options.send !== undefined) {
    await message
    socket.send(options.send)
    const [code] = await closed
    return { first: undefined, code: Number(code), protocol: socket.protocol }
  }
  return Promise.race([
    message.then(([data]: Buffer[]) => ({
      first: data?.[0],
      code: undefined,
      protocol: socket.protocol,
    })),
    closed.then(([code]) => ({ first: undefined, code: Number(code), protocol: socket.protocol })),
  ])
}

describe('a websocket of a stock Yjs client', () => {
  const authenticate: NonNullable<RelayServerOptions['authenticate']> = ({ token }) =>
    token === 'a.b-c_d' ? 'bo' : undefined

  it('brings its token as a parameter, or as a subprotocol beside one to choose', async () => {
    const server = await start({ authenticate })
    expect(await outcomeOf(server, `${ROOM}?token=a.b-c_d`)).toMatchObject({ first: 0 })
    expect(await outcomeOf(server, ROOM, ['tidemark.yjs', 'token.a.b-c_d'])).toMatchObject({
      first: 0,
      protocol: 'tidemark.yjs',
    })
    for (const path of [ROOM, `${ROOM}?token=other`])
      expect(await outcomeOf(server, path)).toMatchObject({ code: 4401 })
  })

  it('is told what is wrong with its room by a code after which it stays away [SEC-11]', async () => {
    const server = await start()
    for (const path of ['/yjs/', '/yjs/team', '/yjs/team/cards/%2e%2e', '/yjs/a/b/c%00'])
      expect(await outcomeOf(server, path)).toMatchObject({ code: 4400 })
  })

  it('[S13] [SEC-7] is refused to a page of another origin', async () => {
    const server = await start()
    const origin = 'https://evil.example'
    await expect(outcomeOf(server, ROOM, [], { origin })).rejects.toThrow('403')
  })

  it('[S4] that sends more than a frame may have is told so, and cut only far above that', async () => {
    const server = await start()
    const large = { send: new Uint8Array(1024 * 1024 + 1) }
    expect(await outcomeOf(server, ROOM, [], large)).toMatchObject({ code: 4413 })
    const huge = { send: new Uint8Array(4 * 1024 * 1024 + 1) }
    expect(await outcomeOf(server, ROOM, [], huge)).toMatchObject({ code: 1009 })
  })
})
