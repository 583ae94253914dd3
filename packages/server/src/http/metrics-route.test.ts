import type { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { createApp } from './app.js'

const prometheus = {
  contentType: 'text/plain; version=0.0.4',
  render: () => Promise.resolve('tidemark_ready 1\n'),
}

function create(token?: string): Hono {
  return createApp({ relay: { ready: () => ({ ready: true }) }, metrics: { prometheus, token } })
}

/** As a request from that address. */
async function ask(
  app: Hono,
  remoteAddress: string,
  headers: Readonly<Record<string, string>> = {},
  host = 'localhost:8787',
): Promise<Response> {
  const env = { incoming: { socket: { remoteAddress } } }
  return app.request(`http://${host}/metrics`, { headers }, env)
}

describe('the metrics', () => {
  it.each(['127.0.0.1', '::1', '::ffff:127.0.0.1'])(
    'are shown to this machine (%s)',
    async (address) => {
      const response = await ask(create(), address)
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4')
      expect(await response.text()).toBe('tidemark_ready 1\n')
    },
  )

  it.each([
    ['another machine', '192.168.1.2', {}, 'localhost:8787'],
    ['who comes through a proxy', '127.0.0.1', { 'X-Forwarded-For': '1.1.1.1' }, 'localhost'],
    [
      'who comes through a proxy (RFC 7239)',
      '127.0.0.1',
      { Forwarded: 'for=1.1.1.1' },
      'localhost',
    ],
    ['a page that points its name here', '127.0.0.1', {}, 'rebound.example:8787'],
  ])('are nowhere for %s', async (_who, address, headers, host) => {
    const response = await ask(create(), address, headers, host)
    expect(response.status).toBe(404)
    expect(await response.json()).toEqual({ error: 'not-found' })
  })

  it('are shown to whoever has the token, from anywhere, and to nobody else', async () => {
    const app = create('swordfish')
    const right = await ask(
      app,
      '192.168.1.2',
      { Authorization: 'Bearer swordfish' },
      'relay.example',
    )
    expect(right.status).toBe(200)
    for (const authorization of [
      '',
      'Bearer',
      'Bearer swordfis',
      'Bearer swordfish2',
      'Basic swordfish',
    ]) {
      const wrong = await ask(app, '127.0.0.1', { Authorization: authorization })
      expect([wrong.status, wrong.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    }
  })

  it('are read only', async () => {
    const response = await create().request('/metrics', { method: 'POST' })
    expect(response.status).toBe(405)
  })
})
