import { createHash, timingSafeEqual } from 'node:crypto'
import type { HttpBindings } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import { isLoopback } from './origin.js'
import type { Prometheus } from './prometheus.js'

export interface MetricsRouteOptions {
  readonly prometheus: Pick<Prometheus, 'contentType' | 'render'>
  /** Who shows it as a bearer token may look, from anywhere. Without it only this machine may. */
  readonly token: string | undefined
}

type AppContext = Context<{ Bindings: Partial<HttpBindings> }>

/**
 * `/metrics`. Without a token it answers programs of this machine only, and whoever else asks finds nothing there: neither
 * what came through a proxy that says so, nor a page whose site points its own name at this machine (DNS rebinding).
 */
export function serveMetrics(app: Hono, { prometheus, token }: MetricsRouteOptions): void {
  app.get('/metrics', async (c: AppContext) => {
    if (token === undefined && !isLocal(c)) return c.json({ error: 'not-found' }, 404)
    if (token !== undefined && !isEqual(bearerOf(c), token)) {
      c.header('WWW-Authenticate', 'Bearer')
      return c.json({ error: 'unauthorized' }, 401)
    }
    const text = await prometheus.render()
    return c.body(text, 200, {
      'Content-Type': prometheus.contentType,
      'Cache-Control': 'no-store',
    })
  })
}

function isLocal(c: AppContext): boolean {
  const address = c.env?.incoming?.socket.remoteAddress?.replace(/^::ffff:/i, '')
  if (address === undefined || !isLoopback(address)) return false
  if (c.req.header('x-forwarded-for') !== undefined || c.req.header('forwarded') !== undefined)
    return false
  return isLoopback(new URL(c.req.url).hostname)
}

function bearerOf(c: AppContext): string {
  const [, token] = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '') ?? []
  return token ?? ''
}

/** In a time that tells nothing about how much of it is right. */
function isEqual(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
