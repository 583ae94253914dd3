import { ENTITY_ID, SPACE_NAME } from '@tidemark/core/entity'
import { type Context, Hono } from 'hono'
import type { Log } from '../log.js'
import { plainEntity } from '../maintenance/index.js'
import type { Limits, Relay } from '../relay/index.js'
import {
  closeReader,
  type DatabasePages,
  type EntityRef,
  openDatabaseReader,
  pageThrough,
  type RelayStorage,
  type SqliteDatabase,
  scanDatabase,
  sizeOf,
} from '../storage/index.js'
import { TRUSTED_VISIT, type Visit, visitBy } from './gate.js'
import { type Heading, type Html, layout, ROOT, spacePath } from './layout.js'
import {
  connectionsPage,
  type EntityPageView,
  entityPage,
  limitsPage,
  operationsPage,
  spacePage,
  spacesPage,
} from './pages.js'
import { STYLE } from './style.js'

export interface InspectorOptions {
  readonly relay: Pick<Relay, 'identify' | 'connections' | 'ready'>
  readonly storage: Pick<RelayStorage, 'epoch' | 'epochStartedAt'>
  /** Where the database is; undefined when there is none to read. */
  readonly data: string | undefined
  readonly limits: Limits
  readonly version: string
  readonly now: () => number
  readonly log: Log
  /** Whether the request comes from this machine by name, where nobody has to prove who they are; undefined where they have to. */
  readonly isTrusted: ((host: string | undefined) => boolean) | undefined
  addressOf(context: Context): string | undefined
}

const ROWS = 100
/** Nothing but this page's own stylesheet is ever loaded, and nothing runs. */
const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

/** The routes below `/inspect`. */
export function createInspector(options: InspectorOptions): Hono {
  const { relay, data } = options
  const app = new Hono()
  app.use(async (c, next) => {
    await next()
    for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value)
  })
  app.get('/style.css', (c) => c.body(STYLE, 200, { 'Content-Type': 'text/css; charset=utf-8' }))

  app.get('/', (c) =>
    visited(c, async (visit) => {
      const after = c.req.query('after') ?? ''
      const spaces = read((pages) => pages.spaces(after, ROWS)) ?? []
      const shown = []
      for (const space of spaces) if (await visit.mayInspect(space.space)) shown.push(space)
      const next = spaces.length < ROWS ? undefined : spaces.at(-1)?.space
      const facts = {
        version: options.version,
        readiness: relay.ready(),
        epoch: await options.storage.epoch(),
        epochStartedAt: await options.storage.epochStartedAt(),
        bytes: read((_, database) => sizeOf(database)),
        connections: relay.connections().length,
      }
      return page(c, visit, '', { title: 'Spaces' }, spacesPage(facts, shown, next))
    }),
  )

  app.get('/spaces/:space', (c) =>
    visited(c, async (visit) => {
      const name = c.req.param('space')
      if (!SPACE_NAME.test(name) || !(await visit.mayInspect(name))) return c.notFound()
      const collection = c.req.query('collection') || undefined
      const prefix = c.req.query('prefix') ?? ''
      const after = refOf(c.req.query('after'))
      const view = read((pages, database) => {
        const space = scanDatabase(database).space(name)
        if (space === undefined) return undefined
        const entities = pages.entities(name, { after, collection, prefix }, ROWS)
        return {
          space,
          collections: pages.collections(name),
          recent: after === undefined ? pages.recentEntities(name, 10) : [],
          entities,
          collection,
          prefix,
          next:
            entities.length < ROWS
              ? undefined
              : nextQuery(entities.at(-1)?.ref, collection, prefix),
        }
      })
      if (view === undefined) return c.notFound()
      const above = { name: 'Spaces', href: ROOT }
      return page(c, visit, '', { title: name, above }, spacePage(view))
    }),
  )

  app.get('/spaces/:space/:collection/:id', (c) =>
    visited(c, async (visit) => {
      const { space, collection, id } = c.req.param()
      if (!SPACE_NAME.test(space) || !ENTITY_ID.test(id) || !(await visit.mayInspect(space)))
        return c.notFound()
      const view = read((_, database) => entityView(database, space, { collection, id }))
      if (view === undefined) return c.notFound()
      const above = { name: space, href: spacePath(space) }
      return page(c, visit, '', { title: `${collection}/${id}`, above }, entityPage(view))
    }),
  )

  app.get('/operations', (c) =>
    operators(c, (visit) =>
      page(
        c,
        visit,
        '/operations',
        { title: 'Last operations' },
        operationsPage(read((pages) => pages.recentOperations(undefined, ROWS)) ?? []),
      ),
    ),
  )
  app.get('/connections', (c) =>
    operators(c, (visit) =>
      page(
        c,
        visit,
        '/connections',
        { title: 'Connections' },
        connectionsPage(relay.connections(), options.now()),
      ),
    ),
  )
  app.get('/limits', (c) =>
    operators(c, (visit) =>
      page(c, visit, '/limits', { title: 'Limits' }, limitsPage(options.limits)),
    ),
  )
  app.notFound((c) => c.text('There is no such page, or it is not for you.', 404))

  /** Reads one state of the database, beside the relay. */
  function read<T>(look: (pages: DatabasePages, database: SqliteDatabase) => T): T | undefined {
    if (data === undefined) return undefined
    const database = openDatabaseReader(data)
    try {
      database.exec('BEGIN')
      return look(pageThrough(database), database)
    } finally {
      closeReader(database)
    }
  }

  async function visited(
    c: Context,
    show: (visit: Visit) => Response | Promise<Response>,
  ): Promise<Response> {
    if (options.isTrusted !== undefined) {
      if (options.isTrusted(c.req.header('Host'))) return show(TRUSTED_VISIT)
      return c.text('Only from this machine, by the name localhost.', 403)
    }
    try {
      const visit = await visitBy(relay, {
        authorization: c.req.header('Authorization'),
        remoteAddress: options.addressOf(c),
      })
      if (visit !== undefined) return await show(visit)
    } catch (error) {
      options.log.error({ err: error }, 'the inspector failed')
      return c.text('That can not be told now. Try again later; the log says why.', 503)
    }
    return c.text('Who are you? The name is a user id, the password a token.', 401, {
      'WWW-Authenticate': 'Basic realm="Tidemark relay: user id and token", charset="UTF-8"',
    })
  }

  /** What is about the relay as a whole. */
  function operators(
    c: Context,
    show: (visit: Visit) => Response | Promise<Response>,
  ): Promise<Response> {
    return visited(c, (visit) =>
      visit.isOperator ? show(visit) : c.text('Only for administrators of every space.', 403),
    )
  }

  return app
}

async function page(
  c: Context,
  visit: Visit,
  section: string,
  heading: Heading,
  body: Html,
): Promise<Response> {
  return c.html(await layout(visit, section, heading, body))
}

function entityView(
  database: SqliteDatabase,
  space: string,
  ref: EntityRef,
): EntityPageView | undefined {
  const found = scanDatabase(database).entity(space, ref)
  if (found === undefined) return undefined
  if (found.problem !== undefined) return { problem: found.problem }
  return { head: found.head, plain: plainEntity(ref, found.head, found.log) }
}

/** From `collection/id`. */
function refOf(text: string | undefined): EntityRef | undefined {
  const slash = text?.indexOf('/') ?? -1
  if (text === undefined || slash < 1) return undefined
  return { collection: text.slice(0, slash), id: text.slice(slash + 1) }
}

function nextQuery(
  last: EntityRef | undefined,
  collection: string | undefined,
  prefix: string,
): string | undefined {
  if (last === undefined) return undefined
  const query = new URLSearchParams({ after: `${last.collection}/${last.id}` })
  if (collection !== undefined) query.set('collection', collection)
  if (prefix !== '') query.set('prefix', prefix)
  return query.toString()
}
