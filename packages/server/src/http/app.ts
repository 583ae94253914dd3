import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { type Log, silentLog } from '../log.js'
import type { Relay } from '../relay/index.js'
import { RELAY_VERSION } from '../version.js'
import { type MetricsRouteOptions, serveMetrics } from './metrics-route.js'
import { logFailures } from './request-log.js'
import { serveApp } from './static-files.js'

export interface AppOptions {
  readonly relay: Pick<Relay, 'ready'>
  /** The directory of an app to serve. */
  readonly publicDirectory?: string | undefined
  /** Without it there is no `/metrics`. */
  readonly metrics?: MetricsRouteOptions | undefined
  /** The routes below `/inspect`. */
  readonly inspector?: Hono | undefined
  readonly log?: Log
}

/** Nothing here takes a body; who sends one all the same gets an answer, and no memory. */
const MAX_BODY_BYTES = 64 * 1024
/** Something may have changed by then: a storage that fails is probed several times a minute. */
const RETRY_AFTER_SECONDS = 5
const OWN_PATHS = ['/health', '/ready', '/metrics']

/** What the relay answers over plain HTTP. Web-standard `Request` in, `Response` out: tests need no port. */
export function createApp({
  relay,
  publicDirectory,
  metrics,
  inspector,
  log = silentLog,
}: AppOptions): Hono {
  const app = new Hono()
  logFailures(app, log)
  app.use(
    bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => c.json({ error: 'too-large' }, 413) }),
  )
  app.use(async (c, next) => {
    await next()
    c.header('X-Content-Type-Options', 'nosniff')
  })
  app.get('/health', (c) => c.json({ status: 'ok', version: RELAY_VERSION }))
  app.get('/ready', (c) => {
    const readiness = relay.ready()
    if (readiness.ready) return c.json(readiness)
    c.header('Retry-After', String(RETRY_AFTER_SECONDS))
    return c.json(readiness, 503)
  })
  if (metrics !== undefined) serveMetrics(app, metrics)
  app.all('*', (c, next) => {
    if (!OWN_PATHS.includes(c.req.path) || ['GET', 'HEAD'].includes(c.req.method)) return next()
    c.header('Allow', 'GET, HEAD')
    return Promise.resolve(c.json({ error: 'method-not-allowed' }, 405))
  })
  if (inspector !== undefined) app.route('/inspect', inspector)
  if (publicDirectory !== undefined) serveApp(app, publicDirectory)
  app.notFound((c) => c.json({ error: 'not-found' }, 404))
  return app
}
