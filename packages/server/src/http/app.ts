import { Hono } from 'hono'
import { type Log, silentLog } from '../log.js'
import type { Relay } from '../relay/index.js'
import { RELAY_VERSION } from '../version.js'
import { logFailures } from './request-log.js'
import { serveApp } from './static-files.js'

export interface AppOptions {
  readonly relay: Pick<Relay, 'ready'>
  /** The directory of an app to serve. */
  readonly publicDirectory?: string | undefined
  /** The routes below `/inspect`. */
  readonly inspector?: Hono | undefined
  readonly log?: Log
}

/** What the relay answers over plain HTTP. Web-standard `Request` in, `Response` out: tests need no port. */
export function createApp({
  relay,
  publicDirectory,
  inspector,
  log = silentLog,
}: AppOptions): Hono {
  const app = new Hono()
  logFailures(app, log)
  app.get('/health', (c) => c.json({ status: 'ok', version: RELAY_VERSION }))
  app.get('/ready', (c) => {
    const readiness = relay.ready()
    return c.json(readiness, readiness.ready ? 200 : 503)
  })
  if (inspector !== undefined) app.route('/inspect', inspector)
  if (publicDirectory !== undefined) serveApp(app, publicDirectory)
  app.notFound((c) => c.json({ error: 'not-found' }, 404))
  return app
}
