import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hono } from 'hono'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Readiness } from '../relay/index.js'
import { createApp } from './app.js'

const READY: Readiness = { ready: true }

function createPlainApp(readiness: Readiness = READY): Hono {
  return createApp({ relay: { ready: () => readiness } })
}

/** An app in a directory that has a secret beside it. */
function createAppWithFiles(): Hono {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-public-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const root = join(directory, 'public')
  mkdirSync(join(root, 'assets'), { recursive: true })
  writeFileSync(join(directory, 'secret.txt'), 'secret')
  writeFileSync(join(root, 'index.html'), '<!doctype html><title>App</title>')
  writeFileSync(join(root, 'sw.js'), '// worker')
  writeFileSync(join(root, 'assets', 'index-Bx7_kQ2a.js'), 'export {}')
  writeFileSync(join(root, 'assets', 'logo.svg'), '<svg/>')
  return createApp({ relay: { ready: () => READY }, publicDirectory: root })
}

describe('without an app', () => {
  it('says that it is healthy, and in which version', async () => {
    const response = await createPlainApp().request('/health')
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      status: 'ok',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    })
  })

  it.each([
    [READY, 200],
    [{ ready: false, reason: 'storage-failing' } as const, 503],
  ])('[DUR-5] answers /ready for %o with %i', async (readiness, status) => {
    const response = await createPlainApp(readiness).request('/ready')
    expect(response.status).toBe(status)
    expect(await response.json()).toEqual(readiness)
  })

  it.each(['/health', '/ready'])(
    'takes GET and HEAD at %s, and says so to others',
    async (path) => {
      const app = createPlainApp()
      const head = await app.request(path, { method: 'HEAD' })
      expect([head.status, await head.text()]).toEqual([200, ''])
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
        const response = await app.request(path, { method })
        expect(response.status).toBe(405)
        expect(response.headers.get('allow')).toBe('GET, HEAD')
      }
    },
  )

  it('says when to ask again while it is not ready', async () => {
    const response = await createPlainApp({ ready: false, reason: 'stopping' }).request('/ready')
    expect(response.headers.get('retry-after')).toBe('5')
  })

  it.each(['/health', '/', '/nothing'])('keeps no large body that is sent to %s', async (path) => {
    const body = 'x'.repeat(65 * 1024)
    for (const headers of [{ 'Content-Length': String(body.length) }, {}] as const) {
      const response = await createPlainApp().request(path, { method: 'POST', body, headers })
      expect(response.status).toBe(413)
    }
  })

  it.each(['/', '/index.html', '/metrics', '/health/more'])('has nothing at %s', async (path) => {
    const response = await createPlainApp().request(path)
    expect(response.status).toBe(404)
    expect(await response.json()).toEqual({ error: 'not-found' })
  })
})

describe('with an app', () => {
  it.each([
    ['/', 'text/html', 'no-cache'],
    ['/index.html', 'text/html', 'no-cache'],
    ['/sw.js', 'javascript', 'no-cache'],
    ['/assets/logo.svg', 'image/svg+xml', 'no-cache'],
    ['/assets/index-Bx7_kQ2a.js', 'javascript', 'public, max-age=31536000, immutable'],
  ])('serves %s as %s with cache control %s', async (path, type, cacheControl) => {
    const response = await createAppWithFiles().request(path)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toContain(type)
    expect(response.headers.get('cache-control')).toBe(cacheControl)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('serves its index for its own routes, so that they survive a reload', async () => {
    const response = await createAppWithFiles().request('/boards/42')
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-cache')
    expect(await response.text()).toContain('<title>App</title>')
  })

  it('does not serve its index for a file that is missing', async () => {
    const response = await createAppWithFiles().request('/assets/index-00000000.js')
    expect(response.status).toBe(404)
    expect(response.headers.get('cache-control')).toBeNull()
  })

  it('keeps its own paths', async () => {
    const response = await createAppWithFiles().request('/health')
    expect(await response.json()).toMatchObject({ status: 'ok' })
  })

  it.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/../../secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '//secret.txt',
    '/%00',
    '/assets/%',
  ])('[S20] [SEC-11] never leaves its directory for %s', async (path) => {
    const response = await createAppWithFiles().request(`http://localhost${path}`)
    expect(await response.text()).not.toContain('secret')
  })

  it.each(['POST', 'PUT', 'DELETE'])('does not answer %s', async (method) => {
    const response = await createAppWithFiles().request('/', { method })
    expect(response.status).toBe(404)
  })
})
