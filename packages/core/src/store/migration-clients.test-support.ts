import * as z from 'zod'
import {
  decodeContent,
  EMPTY_CONTENT,
  formatActor,
  type UpdateContext,
  validateUpdate,
  viewOf,
} from '../entity/index.js'
import { createDraft, type OperationDraft } from '../operations/index.js'
import { createRowFactory, type EntityRow } from '../query/index.js'
import {
  type ConfirmedEntity,
  confirmChange,
  createReplica,
  type PendingOperation,
  type PendingPart,
  type StoredOperation,
} from '../replica/index.js'
import {
  collection,
  counter,
  defineSchema,
  type Migration,
  migrate,
  type Schema,
  set,
  text,
} from '../schema/index.js'
import { NEW_SPACE } from '../storage/index.js'
import { planRebase, rebaseReadSet, rebaseWithout } from '../sync/rebasing.js'

export const CARD = { collection: 'cards', id: 'a' }

/** What the cards of the tests are made of; later versions know the later fields. */
const FIELDS = {
  name: z.string().optional(),
  size: z.unknown().optional(),
  tags: set(z.string()),
  votes: counter(),
  notes: text(),
  title: z.unknown().optional(),
  slug: z.unknown().optional(),
  labels: set(z.string()),
}
const KNOWN_FROM: Readonly<Record<string, number>> = { title: 2, slug: 3, labels: 2 }

type Card = Record<string, unknown>

const asText = (value: unknown): string => (typeof value === 'string' ? value : '')
const asList = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])

/** What versions did to cards. All of them allow for what nobody wrote. */
export const STEPS: Readonly<Record<string, (version: number) => Migration>> = {
  nothing: () => () => ({}),
  copy: () => (card) => ({ ...card, title: asText(card['name']) }),
  'change in place': (version) => (card) => ({ ...card, size: [version, card['size'] ?? null] }),
  'leave out':
    () =>
    ({ name, ...card }) => ({ ...card, slug: asText(name).toLowerCase() }),
  'build on another': (version) => (card) => ({
    slug: `${version}:${JSON.stringify(card['title'])}`,
  }),
  'change a set': () => (card) => ({ ...card, tags: asList(card['tags']).map((tag) => `#${tag}`) }),
  'copy a set': () => (card) => ({ labels: [...asList(card['tags']), 'all'] }),
  'empty a set': () => () => ({ tags: [] }),
  'change a counter': () => (card) => ({ ...card, votes: Number(card['votes'] ?? 0) * 2 + 1 }),
  'reset a counter': () => () => ({ votes: 0 }),
}

/** The schema of an app at a version; `steps` name what leads to 2, 3, ... */
export function schemaAt(version: number, steps: readonly (readonly string[])[]): Schema {
  const fields = Object.entries(FIELDS).filter(([name]) => (KNOWN_FROM[name] ?? 1) <= version)
  const migrations: Record<number, { cards: Migration }> = {}
  for (let target = 2; target <= version; target++) {
    const own = (steps[target - 2] ?? []).map((name) => STEPS[name]?.(target))
    migrations[target] = {
      cards(card) {
        const values: Card = { ...card }
        for (const step of own) Object.assign(values, step?.(values))
        return values
      },
    }
  }
  const cards = collection(Object.fromEntries(fields))
  return defineSchema({ version, collections: { cards }, migrations })
}

/** What the relay has accepted, in its order. */
export type Log = { readonly part: PendingPart; readonly author: number }[]

/** A device with an app of some version, from its outbox to its rows. */
export function createClient(number: number, schema: Schema, log: Log) {
  const replica = createReplica()
  const factory = createRowFactory(schema.collections['cards']?.fields ?? {}, (id, view) =>
    migrate(schema, 'cards', id, view),
  )
  let client = number * 100
  let order = 0
  let read = 0
  let time = 0

  function pending(): readonly StoredOperation[] {
    return replica.savedOn(CARD)
  }

  function confirm({ part }: Log[number], sequence: number, gone: readonly number[]): void {
    const entity = confirmChange(replica.entity(CARD)?.confirmed, {
      ...part,
      confirmedSequence: sequence,
    })
    replica.absorb({ entities: [entity], operations: [], gone })
  }

  const self = {
    schema,
    replica,
    pending,
    /** A clock that others' may be ahead of. */
    tick(now: number) {
      time = Math.max(time, now * 1000)
    },
    /** Applies a change that isn't saved yet; undefined when it changed nothing. */
    stage(change: (draft: OperationDraft) => void): PendingOperation | undefined {
      const draft = createDraft({
        schema,
        content: (ref) => replica.content(ref),
        view: (ref) => viewOf(replica.content(ref)),
        updates: (ref) => replica.updates(ref),
        sequence: (ref) => replica.entity(ref)?.sequence ?? 0,
        generation: () => '0',
        exists: (ref) => replica.entity(ref) !== undefined,
        now: () => 1,
        tick: () => {
          time = Math.max(time, replica.entity(CARD)?.lastModified ?? 0) + 1
          return time
        },
        actor: formatActor({ user: `user${number}`, replica: 'r', writer: client }),
        client,
        newId: () => 'new',
      })
      change(draft)
      const { parts, contents } = draft.finish()
      if (parts.length === 0) return undefined
      order += 1
      const operation = { id: `${number}-${order}`, createdAt: 0, parts, failure: null }
      replica.stage(operation, contents)
      return operation
    },
    run(change: (draft: OperationDraft) => void): void {
      const operation = self.stage(change)
      if (operation === undefined) return
      replica.absorb({ entities: [], operations: [{ ...operation, order }], gone: [] })
    },
    insert: (input: Card) => self.run((draft) => void draft.insert('cards', { id: 'a', ...input })),
    update: (change: (card: never) => void) => self.run((draft) => draft.update(CARD, change)),
    /** The relay accepts the first operation that waits. */
    send(): void {
      const [first] = pending()
      const [part] = first?.parts ?? []
      if (first === undefined || part === undefined) return
      self.receive()
      validateUpdate(part.update, relayContext(replica.entity(CARD)?.confirmed), LIMITS)
      log.push({ part, author: number })
      read = log.length
      confirm({ part, author: number }, log.length, [first.order])
    },
    /** Takes over what others wrote. */
    receive(): void {
      for (; read < log.length; read++) {
        const entry = log[read]
        if (entry !== undefined) confirm(entry, read + 1, [])
      }
    },
    /** Rolls one of the operations back that wait. */
    drop(id: string): void {
      const rejected = pending().find((operation) => operation.id === id)
      if (rejected === undefined) return
      const failure = { code: 'forbidden', message: 'No.' }
      const rebase = rebaseWithout(replica, rejected, failure)
      const readSet = rebaseReadSet(replica, rebase)
      const saved = [...replica.saved()]
      const current = {
        meta: { replica: 'r', change: 0, rebases: 0, clients: [], moves: [] },
        space: NEW_SPACE,
        entities: readSet.entities.map((ref) => replica.entity(ref)?.confirmed),
        operations: readSet.operations.map((wanted) => saved.find((row) => row.order === wanted)),
      }
      client += 1
      const { putOperations = [] } = planRebase(rebase, readSet, current, {
        client,
        clients: [],
      })
      replica.absorb({ entities: [], operations: putOperations, gone: [] })
    },
    row(): EntityRow | undefined {
      const entity = replica.entity(CARD)
      return entity && factory.row(entity, 'synced')
    },
    /** The fields of the row. */
    fields(): Card {
      return Object.fromEntries(
        Object.entries(self.row() ?? {}).filter(([name]) => !name.startsWith('$')),
      )
    },
    /** What the version of the entity is written down as. */
    version: () => replica.entity(CARD)?.view.values['$schema'],
  }
  return self
}

const LIMITS = { maxBytes: 100_000, maxElements: 1000, maxDeletions: 1000 }

/** What the relay knows of an entity when it looks at an update. */
function relayContext(confirmed: ConfirmedEntity | undefined): UpdateContext {
  const { clocks, tails } = confirmed ? decodeContent(confirmed.bytes) : EMPTY_CONTENT
  return {
    clock: (client) => clocks.get(client) ?? 0,
    tail: (client) => tails.get(client),
    ownsClient: () => true,
    ownsActor: () => true,
  }
}

export type Client = ReturnType<typeof createClient>

/** Everybody sends and takes over everything. */
export function syncAll(clients: readonly Client[]): void {
  for (const client of clients) while (client.pending().length > 0) client.send()
  for (const client of clients) client.receive()
}
