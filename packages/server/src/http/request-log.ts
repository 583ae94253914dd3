import type { Hono } from 'hono'
import type { Log } from '../log.js'

/** The relay's own answer to "are you well?": a no is no failure of the request. */
const PROBE = '/ready'

/**
 * Logs requests that the relay failed to answer, and no others: what clients ask for is their business. The query is left
 * out, since tokens may stand in it.
 */
export function logFailures(app: Hono, log: Log): void {
  app.use(async (context, next) => {
    await next()
    const { method, path } = context.req
    const { status } = context.res
    if (status < 500 || path === PROBE) return
    log.error({ method, path, status, err: context.error }, 'a request failed')
  })
  app.onError((_error, context) => context.json({ error: 'internal' }, 500))
}
