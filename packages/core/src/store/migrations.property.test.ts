import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Client,
  createClient,
  type Log,
  STEPS,
  schemaAt,
  syncAll,
} from './migration-clients.test-support.js'

const SEED = 20261121
const NEWEST = 4

/** By version from 2 on, what its migration does. */
const chains = fc.array(
  fc.uniqueArray(fc.constantFrom(...Object.keys(STEPS)), { minLength: 1, maxLength: 3 }),
  { minLength: NEWEST - 1, maxLength: NEWEST - 1 },
)

const word = fc.string({ unit: fc.constantFrom('a', 'B', 'c'), minLength: 1, maxLength: 2 })

const cards = fc.record(
  {
    name: word,
    size: fc.nat(9),
    tags: fc.array(word, { maxLength: 3 }),
    votes: fc.nat(5),
    notes: word,
  },
  { requiredKeys: [] },
)

type Edit = { readonly field: string; readonly value: string }

const edits = fc.record({
  field: fc.constantFrom('name', 'size', 'tags', 'votes', 'notes', 'title', 'slug', 'labels'),
  value: word,
})

/** Changes of fields; what becomes of text is for other tests. */
const changesOfFields = fc.oneof(
  fc.record({ field: fc.constantFrom('name', 'size', 'title', 'slug', 'votes'), value: word }),
  fc.record({
    field: fc.constantFrom('tags', 'labels'),
    value: fc.constantFrom('a', '#a', 'B', '#B', 'all'),
  }),
)

/** Does what an app of the client's version can do; false where it doesn't know the field. */
function edit(client: Client, { field, value }: Edit): boolean {
  if (client.schema.collections['cards']?.fields[field] === undefined) return false
  client.update((card: Record<string, unknown>) => {
    switch (field) {
      case 'tags':
      case 'labels': {
        const elements = card[field] as Set<string>
        if (elements.has(value)) elements.delete(value)
        else elements.add(value)
        return
      }
      case 'votes':
        return (card[field] as { increment(by: number): void }).increment(value.length)
      case 'notes':
        return (card[field] as { insert(at: number, text: string): void }).insert(0, value)
      default:
        card[field] = value
    }
  })
  return true
}

/** A card that a client of the first version has written, as it is at the relay. */
function written(card: Readonly<Record<string, unknown>>, chain: readonly string[][]): Log {
  const log: Log = []
  const first = createClient(9, schemaAt(1, chain), log)
  first.insert(card)
  syncAll([first])
  return log
}

function opened(number: number, version: number, chain: readonly string[][], log: Log): Client {
  const client = createClient(number, schemaAt(version, chain), log)
  client.receive()
  return client
}

const without = (row: Readonly<Record<string, unknown>>, ...fields: string[]) =>
  Object.fromEntries(Object.entries(row).filter(([name]) => !fields.includes(name)))

describe('migrations', () => {
  test('[SCH-2] the first write writes down what was shown, and changes nothing else', () => {
    let migrated = 0
    fc.assert(
      fc.property(cards, chains, edits, (card, chain, change) => {
        const client = opened(1, NEWEST, chain, written(card, chain))
        const before = client.fields()
        edit(client, change)
        if (client.version() === NEWEST) migrated += 1
        expect(without(client.fields(), change.field)).toEqual(without(before, change.field))
        syncAll([client])
        expect(without(client.fields(), change.field)).toEqual(without(before, change.field))
      }),
      { seed: SEED, numRuns: 300 },
    )
    expect(migrated).toBeGreaterThan(200)
  })

  test('[SCH-2] it makes no difference at which versions it was written down on the way', () => {
    fc.assert(
      fc.property(
        cards,
        chains,
        fc.uniqueArray(fc.constantFrom(2, 3), { maxLength: 2 }),
        (card, chain, stops) => {
          const direct = opened(1, NEWEST, chain, written(card, chain))
          const log = written(card, chain)
          for (const version of stops.sort()) {
            const client = opened(version, version, chain, log)
            for (let times = 0; times < 2; times++)
              edit(client, { field: 'tags', value: 'not there' })
            expect(client.version()).toBe(version)
            syncAll([client])
          }
          expect(opened(9, NEWEST, chain, log).fields()).toEqual(direct.fields())
        },
      ),
      { seed: SEED, numRuns: 300 },
    )
  })

  test('[SCH-3] devices that migrate at once give what one of them gives, without a conflict', () => {
    fc.assert(
      fc.property(cards, chains, fc.integer({ min: 2, max: NEWEST }), (card, chain, version) => {
        const log = written(card, chain)
        const clients = [1, 2, 3].map((number) => opened(number, version, chain, log))
        const [first] = clients
        const alone = first?.fields()
        for (const [place, client] of clients.entries())
          edit(client, { field: 'notes', value: 'x'.repeat(place) })
        for (const client of clients) edit(client, { field: 'votes', value: 'x' })
        syncAll(clients)
        for (const client of clients) {
          expect(client.row()?.$conflicts).toEqual({})
          expect(without(client.fields(), 'notes', 'votes')).toEqual(
            without(alone ?? {}, 'notes', 'votes'),
          )
          expect(client.fields()['votes']).toBe(Number(alone?.['votes']) + clients.length)
        }
      }),
      { seed: SEED, numRuns: 300 },
    )
  })

  test('[SCH-3] what a person writes stands, whoever migrates at the same time or later', () => {
    fc.assert(
      fc.property(cards, chains, word, fc.boolean(), (card, chain, title, isEarlier) => {
        const log = written(card, chain)
        const [ada, bob] = [opened(1, NEWEST, chain, log), opened(2, NEWEST, chain, log)]
        ;(isEarlier ? bob : ada).tick(1000)
        edit(ada, { field: 'title', value: title })
        edit(bob, { field: 'votes', value: title })
        syncAll([bob, ada])
        for (const client of [ada, bob]) {
          expect(client.fields()['title']).toBe(title)
          expect(client.row()?.$conflicts).toEqual({})
        }
      }),
      { seed: SEED, numRuns: 200 },
    )
  })

  test('[SCH-1] an older client loses nothing of what a newer one has written, also when it rolls back', () => {
    fc.assert(
      fc.property(
        cards,
        chains,
        fc.array(edits, { minLength: 1, maxLength: 5 }),
        fc.array(fc.tuple(edits, fc.boolean()), { minLength: 1, maxLength: 5 }),
        (card, chain, newer, older) => {
          const log = written(card, chain)
          const young = opened(1, NEWEST, chain, log)
          for (const change of newer) edit(young, change)
          edit(young, { field: 'votes', value: 'x' })
          syncAll([young])
          const before = young.fields()
          const old = opened(2, 1, chain, log)
          for (const [change] of older) edit(old, change)
          const waiting = old.pending().map(({ id }) => id)
          for (const [place, id] of waiting.entries()) if (older[place]?.[1]) old.drop(id)
          syncAll([old, young])
          const touched = older
            .map(([{ field }]) => field)
            .filter((field) => ['name', 'size', 'tags', 'votes', 'notes'].includes(field))
          expect(without(young.fields(), ...touched)).toEqual(without(before, ...touched))
          expect(young.version()).toBe(NEWEST)
        },
      ),
      { seed: SEED, numRuns: 200 },
    )
  })

  test('[SCH-2] [L14] a rollback of any changes, also of the first, leaves what there were without them', () => {
    let migrations = 0
    fc.assert(
      fc.property(
        cards,
        chains,
        fc.uniqueArray(fc.tuple(changesOfFields, fc.boolean()), {
          minLength: 2,
          maxLength: 6,
          // An element is changed once: adding it is another thing when it is there.
          selector: ([{ field, value }]) => (/tags|labels/.test(field) ? `${field}:${value}` : {}),
        }),
        fc.boolean(),
        (card, chain, script, isBackwards) => {
          const really = opened(1, NEWEST, chain, written(card, chain))
          const oracle = opened(1, NEWEST, chain, written(card, chain))
          const dropped: string[] = []
          for (const [change, isDropped] of script) {
            const before = really.pending().length
            edit(really, change)
            const last = really.pending().at(-1)
            if (really.pending().length === before || last === undefined) continue
            if (isDropped) dropped.push(last.id)
            else edit(oracle, change)
          }
          const [first] = really.pending()
          if (first && dropped.includes(first.id) && dropped.length < really.pending().length)
            migrations += 1
          for (const id of isBackwards ? dropped.reverse() : dropped) really.drop(id)
          expect(really.fields()).toEqual(oracle.fields())
          expect(really.row()?.$conflicts).toEqual({})
          syncAll([really])
          expect(really.fields()).toEqual(oracle.fields())
        },
      ),
      { seed: SEED, numRuns: 400 },
    )
    expect(migrations).toBeGreaterThan(50)
  })

  test('[SCH-1] [CONV-1] clients of all versions converge, and those of one version show the same', () => {
    const step = fc.record({
      client: fc.nat(5),
      act: fc.oneof(
        { weight: 5, arbitrary: edits },
        { weight: 2, arbitrary: fc.constant('send' as const) },
        { weight: 2, arbitrary: fc.constant('receive' as const) },
        { weight: 1, arbitrary: fc.constant('drop' as const) },
      ),
    })
    let mixed = 0
    fc.assert(
      fc.property(
        cards,
        chains,
        fc.array(step, { minLength: 5, maxLength: 30 }),
        (card, chain, script) => {
          const log = written(card, chain)
          const clients = [1, 1, 2, 3, 4, 4].map((version, place) =>
            opened(place + 1, version, chain, log),
          )
          for (const [now, { client: place, act }] of script.entries()) {
            const client = clients[place]
            if (client === undefined) continue
            client.tick(now)
            if (act === 'send') client.send()
            else if (act === 'receive') client.receive()
            else if (act === 'drop') client.drop(client.pending()[0]?.id ?? '')
            else edit(client, act)
            expect(client.row()?.$error?.code).not.toBe('migration-failed')
          }
          syncAll(clients)
          const [one, other, , , newest, alike] = clients
          expect(other?.fields()).toEqual(one?.fields())
          expect(alike?.fields()).toEqual(newest?.fields())
          for (const client of clients)
            expect(client.replica.entity({ collection: 'cards', id: 'a' })?.view).toEqual(
              one?.replica.entity({ collection: 'cards', id: 'a' })?.view,
            )
          if (new Set(log.map(({ author }) => author)).size > 3) mixed += 1
        },
      ),
      { seed: SEED, numRuns: 300 },
    )
    expect(mixed).toBeGreaterThan(100)
  })
})
