import { existsSync } from 'node:fs'
import { extname, join } from 'node:path'
import { serveStatic } from '@hono/node-server/serve-static'
import type { Hono, MiddlewareHandler } from 'hono'

/** Bundlers put a hash of the content into the names of what they emit here: such a file never changes. */
const HASHED_ASSET = /^\/assets\/.*[.-][A-Za-z0-9_-]{8,}\.[a-z0-9]+$/i

/**
 * Serves an app from a directory: its files, and `index.html` for every path that has no extension, so that the app's
 * own routes survive a reload. Never anything outside the directory.
 */
export function serveApp(app: Hono, directory: string): void {
  const index = serveStatic({ path: join(directory, 'index.html') })
  app.get('*', withHeaders(serveStatic({ root: directory })))
  app.get(
    '*',
    withHeaders((c, next) => (extname(c.req.path) === '' ? index(c, next) : next())),
  )
}

function withHeaders(serve: MiddlewareHandler): MiddlewareHandler {
  return async (c, next) => {
    const response = await serve(c, next)
    if (!(response instanceof Response)) return
    response.headers.set('Cache-Control', cacheControl(c.req.path))
    response.headers.set('X-Content-Type-Options', 'nosniff')
    return response
  }
}

function cacheControl(path: string): string {
  return HASHED_ASSET.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache'
}

export function isDirectoryWithIndex(directory: string): boolean {
  return existsSync(join(directory, 'index.html'))
}
