import { mkdtempSync, rmSync } from 'node:fs'
import { get as httpGet } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collection, defineSchema, set } from '@tidemark/core'
import { createStore } from '@tidemark/core/node'
import Database from 'libsql'
import { describe, expect, it, onTestFinished } from 'vitest'
import * as z from 'zod'
import { createRelayServer, type RelayServer, type RelayServerOptions } from '../http/index.js'
import type { Authenticate } from '../relay/index.js'

const schema = defineSchema({
  version: 1,
  collections: { cards: collection({ title: z.string(), tags: set(z.string()) }) },
})

/** Tokens are called like users; what each may do. */
const ROLES = {
  root: { '*': 'admin' },
  lead: { team: 'admin', other: 'write' },
  ada: { '*': 'write' },
} as const

const authenticate: Authenticate = ({ user, token }) => {
  const spaces = ROLES[user as keyof typeof ROLES]
  return token === `secret of ${user}` && spaces !== undefined ? { user, spaces } : undefined
}

async function serve(
  options: RelayServerOptions = {},
): Promise<RelayServer & { readonly directory: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-inspector-'))
  const server = await createRelayServer({ data: directory, port: 0, ...options })
  onTestFinished(async () => {
    await server.close()
    rmSync(directory, { recursive: true, force: true })
  })
  return { ...server, directory }
}

async function write(server: RelayServer, space: string, ids: readonly string[], title: string) {
  const url = server.url.replace('http', 'ws')
  const store = createStore({ schema, user: 'ada', space, url, auth: async () => 'secret of ada' })
  onTestFinished(() => store.close())
  await store.ready
  const operations = ids.map((id) => store.cards.insert({ id, title, tags: ['sea'] }))
  await Promise.all(operations.map((operation) => operation.when('synced')))
  return store
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

async function get(server: RelayServer, path: string, user?: string): Promise<Answer> {
  const headers: Record<string, string> = {}
  if (user !== undefined)
    headers['Authorization'] =
      `Basic ${Buffer.from(`${user}:secret of ${user}`).toString('base64')}`
  const response = await fetch(`${server.url}${path}`, { headers })
  return { status: response.status, text: await response.text(), headers: response.headers }
}

describe('the inspector', () => {
  it('shows spaces, entities with their values and conflicts, operations, connections and limits', async () => {
    const server = await serve()
    const first = await write(server, 'team', ['one', 'two'], 'Tides')
    const second = await write(server, 'team', [], '')
    await expect.poll(() => second.cards.get('one')?.title).toBe('Tides')
    // Two stores, two replicas: neither has seen the other's.
    const updates = [first, second].map((store, index) =>
      store.cards.update('one', (card) => {
        card.title = `Title ${index}`
      }),
    )
    await Promise.all(updates.map((operation) => operation.when('synced')))

    const home = await get(server, '/inspect')
    expect(home.status).toBe(200)
    expect(home.text).toContain('href="/inspect/spaces/team"')
    expect(home.text).toContain('takes operations')
    const space = await get(server, '/inspect/spaces/team')
    for (const id of ['one', 'two'])
      expect(space.text).toContain(`href="/inspect/spaces/team/cards/${id}"`)
    const entity = await get(server, '/inspect/spaces/team/cards/one')
    for (const text of ['Title 0', 'Title 1', '[&quot;sea&quot;]', 'ada/'])
      expect(entity.text).toContain(text)
    expect((await get(server, '/inspect/operations')).text).toContain(updates[1]?.id)
    expect((await get(server, '/inspect/connections')).text.match(/team \(admin\)/g)).toHaveLength(
      2,
    )
    expect((await get(server, '/inspect/limits')).text).toContain('maxFrameBytes')
  })

  it('turns pages, and finds entities by the beginning of their ids', async () => {
    const server = await serve()
    const ids = Array.from({ length: 230 }, (_, index) => `card-${String(index).padStart(3, '0')}`)
    await write(server, 'team', [...ids, 'other'], 'Tides')
    const seen: string[] = []
    let path: string | undefined = '/inspect/spaces/team'
    while (path !== undefined) {
      const { text } = await get(server, path)
      const all = text.slice(text.indexOf('All entities'))
      seen.push(...[...all.matchAll(/cards\/([\w-]+)"/g)].map(([, id = '']) => id))
      path = /href="([^"]*after[^"]*)"/.exec(all)?.[1]?.replaceAll('&amp;', '&')
    }
    expect(seen).toEqual([...ids, 'other'])
    const found = await get(server, '/inspect/spaces/team?collection=cards&prefix=card-22')
    const shown = found.text.slice(found.text.indexOf('All entities'))
    expect([...shown.matchAll(/cards\/([\w-]+)"/g)].map(([, id]) => id)).toEqual(
      ids.slice(220, 230),
    )
  })

  it('[SEC-12] never runs what users wrote', async () => {
    const server = await serve()
    await write(server, 'team', ['one'], '<script>alert(1)</script>"><img src=x onerror=alert(1)>')
    const { text, headers } = await get(server, '/inspect/spaces/team/cards/one')
    expect(text).toContain('&lt;script&gt;alert(1)')
    expect(text).not.toMatch(/<script|<img/)
    expect(headers.get('Content-Security-Policy')).toMatch(/^default-src 'none'/)
    expect(headers.get('Cache-Control')).toBe('no-store')
  })

  it('[DUR-9] says which entity is damaged', async () => {
    const server = await serve()
    await write(server, 'team', ['one', 'two'], 'Tides')
    const database = new Database(join(server.directory, 'tidemark.db'))
    database.exec("UPDATE updates SET bytes = CAST('x' AS BLOB) WHERE id = 'one'")
    database.close()
    expect((await get(server, '/inspect/spaces/team/cards/one')).text).toContain('checksum')
    expect((await get(server, '/inspect/spaces/team/cards/two')).text).toContain('Tides')
  })

  it('knows no pages but its own', async () => {
    const server = await serve()
    await write(server, 'team', ['one'], 'Tides')
    for (const path of ['/spaces/none', '/spaces/team/cards/none', '/spaces/..%2f', '/secrets'])
      expect((await get(server, `/inspect${path}`)).status).toBe(404)
  })
})

describe('without authentication the inspector', () => {
  it('[SEC-7] answers this machine by its own name only', async () => {
    const server = await serve()
    const request = { host: '127.0.0.1', port: server.port, path: '/inspect' }
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = httpGet({ ...request, headers: { Host: 'evil.example' } }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      sent.on('error', reject)
    })
    expect(status).toBe(403)
  })
})

describe('with authentication the inspector', () => {
  it('asks who you are, and shows nothing to whoever can not prove it', async () => {
    const server = await serve({ authenticate })
    for (const user of [undefined, 'nobody']) {
      const { status, headers, text } = await get(server, '/inspect/spaces/team', user)
      expect(status).toBe(401)
      expect(headers.get('WWW-Authenticate')).toMatch(/^Basic realm=/)
      expect(text).not.toContain('team')
    }
  })

  it('[SEC-15] shows administrators their spaces, and those of all spaces the rest', async () => {
    const server = await serve({ authenticate })
    await write(server, 'team', ['one'], 'Tides')
    await write(server, 'other', ['one'], 'Secret')
    const home = await get(server, '/inspect', 'lead')
    expect(home.text).toContain('/inspect/spaces/team')
    expect(home.text).not.toContain('/inspect/spaces/other')
    const paths = [
      '/spaces/team',
      '/spaces/other',
      '/spaces/other/cards/one',
      '/operations',
      '/connections',
      '/limits',
    ]
    const statusesOf = async (user: string): Promise<number[]> => {
      const answers = await Promise.all(paths.map((path) => get(server, `/inspect${path}`, user)))
      if (user !== 'root') for (const { text } of answers) expect(text).not.toContain('Secret')
      return answers.map(({ status }) => status)
    }
    expect(await statusesOf('root')).toEqual([200, 200, 200, 200, 200, 200])
    expect(await statusesOf('lead')).toEqual([200, 404, 404, 403, 403, 403])
    expect(await statusesOf('ada')).toEqual([404, 404, 404, 403, 403, 403])
  })

  it('[SEC-6] lets nobody in whose access was taken back', async () => {
    const dated = await serve({
      authenticate: (credentials) => {
        const proof = authenticate(credentials)
        return typeof proof === 'object' && 'user' in proof ? { ...proof, issuedAt: 1 } : undefined
      },
    })
    expect((await get(dated, '/inspect', 'root')).status).toBe(200)
    dated.revoke({ user: 'root' })
    expect((await get(dated, '/inspect', 'root')).status).toBe(401)
  })
})
