import { describe, expectTypeOf, test } from 'vitest'
import * as z from 'zod'
import type { EntityRow } from '../query/index.js'
import type { CollectionHandle, Store, Transaction } from '../store/index.js'
import {
  collection,
  type Draft,
  type DraftSet,
  defineSchema,
  type InsertInput,
  set,
} from './index.js'

const schema = defineSchema({
  version: 1,
  collections: {
    cards: collection({
      title: z.string().min(1),
      done: z.boolean().default(false),
      url: z.url().optional(),
      rank: z.number().nullable(),
      size: z.object({ width: z.number(), unit: z.enum(['px', 'em']).default('px') }),
      tags: set(z.string()),
      roles: set(z.enum(['reader', 'writer'])),
    }),
    boards: collection({ name: z.string() }),
  },
})
type Cards = (typeof schema)['collections']['cards']['fields']
declare const store: Store<(typeof schema)['collections']>

// What follows is checked by the compiler and never run: a test may only say what it is about.
const compiles = (_code: () => void): void => undefined

describe('what insert takes', () => {
  test('the fields, required and optional', () => {
    expectTypeOf<InsertInput<Cards>>().toEqualTypeOf<{
      readonly id?: string
      readonly title: string
      readonly rank: number | null
      readonly size: { width: number; unit?: 'px' | 'em' | undefined }
      readonly done?: boolean | undefined
      readonly url?: string | undefined
      readonly tags?: Iterable<string> | undefined
      readonly roles?: Iterable<'reader' | 'writer'> | undefined
    }>()
  })

  test('nothing that is missing, unknown or of another type', () => {
    const required = { title: 'a', rank: null, size: { width: 1 } }
    compiles(() => {
      store.cards.insert(required)
      store.cards.insert({ ...required, tags: new Set(['x']), roles: ['reader'], id: 'mine' })
      // @ts-expect-error title is required
      store.cards.insert({ rank: null, size: { width: 1 } })
      // @ts-expect-error there is no such field
      store.cards.insert({ ...required, titel: 'b' })
      // @ts-expect-error not a boolean
      store.cards.insert({ ...required, done: 'yes' })
      // @ts-expect-error not one of the roles
      store.cards.insert({ ...required, roles: ['owner'] })
      // @ts-expect-error the unit is none
      store.cards.insert({ ...required, size: { width: 1, unit: 'cm' } })
    })
  })
})

describe('what update hands out', () => {
  test('fields to assign and sets to change', () => {
    expectTypeOf<Draft<Cards>>().toEqualTypeOf<{
      readonly id: string
      title: string
      done: boolean | undefined
      url: string | undefined
      rank: number | null
      size: { width: number; unit?: 'px' | 'em' | undefined }
      readonly tags: DraftSet<string>
      readonly roles: DraftSet<'reader' | 'writer'>
    }>()
  })

  test('nothing that can not be assigned', () => {
    compiles(() => {
      store.cards.update('a', (card) => {
        card.title = 'b'
        card.url = undefined
        card.tags.add('x')
        card.roles.delete('reader')
        // @ts-expect-error the id is final
        card.id = 'b'
        // @ts-expect-error there is no such field
        card.titel = 'b'
        // @ts-expect-error not a text
        card.title = 7
        // @ts-expect-error a title is never missing
        card.title = undefined
        // @ts-expect-error a set is changed, not assigned
        card.tags = []
        // @ts-expect-error not one of the roles
        card.roles.add('owner')
      })
    })
  })
})

describe('what reading gives', () => {
  test('the values after defaults and conversions, and what is known about them', () => {
    type Card = EntityRow<Cards>
    expectTypeOf<Card['id']>().toBeString()
    expectTypeOf<Card['done']>().toBeBoolean()
    expectTypeOf<Card['url']>().toEqualTypeOf<string | undefined>()
    expectTypeOf<Card['size']>().toEqualTypeOf<{ width: number; unit: 'px' | 'em' }>()
    expectTypeOf<Card['tags']>().toEqualTypeOf<readonly string[]>()
    expectTypeOf<Card['roles']>().toEqualTypeOf<readonly ('reader' | 'writer')[]>()
    expectTypeOf<Card['$status']>().toEqualTypeOf<
      'pending' | 'syncing' | 'synced' | 'stale' | 'error'
    >()
    expectTypeOf<Card['$version']['confirmedSequence']>().toEqualTypeOf<number | null>()
  })

  test('rows that can not be written to', () => {
    compiles(() => {
      const card = store.cards.get('a')
      expectTypeOf(card).toEqualTypeOf<EntityRow<Cards> | undefined>()
      if (card === undefined) return
      // @ts-expect-error a row is frozen
      card.title = 'b'
      // @ts-expect-error a row is frozen
      card.tags.push('x')
      // @ts-expect-error there is no such field
      expectTypeOf(card.titel)
    })
  })

  test('queries over the fields that there are', () => {
    compiles(() => {
      store.cards.query({ where: { done: true, roles: ['reader'] }, orderBy: ['title', 'asc'] })
      store.cards.query({
        where: (card) => card.done,
        orderBy: [['done'], ['$lastModified', 'desc']],
      })
      expectTypeOf(store.cards.query().current).toEqualTypeOf<readonly EntityRow<Cards>[]>()
      // @ts-expect-error there is no such field
      store.cards.query({ where: { titel: 'a' } })
      // @ts-expect-error not a boolean
      store.cards.query({ where: { done: 'yes' } })
      // @ts-expect-error there is no such field
      store.cards.query({ orderBy: ['titel'] })
      // @ts-expect-error up or down
      store.cards.query({ orderBy: ['title', 'up'] })
    })
  })
})

describe('migrations', () => {
  test('take and give plain values', () => {
    compiles(() => {
      const migrated = defineSchema({
        version: 3,
        collections: { cards: collection({ title: z.string() }), boards: collection({}) },
        migrations: {
          2: {
            cards: (card) => {
              expectTypeOf(card).toEqualTypeOf<Readonly<Record<string, unknown>>>()
              return { ...card, title: card['name'] }
            },
          },
          3: { cards: ({ title }) => ({ title: String(title) }), boards: () => ({}) },
        },
      })
      expectTypeOf<keyof (typeof migrated)['collections']>().toEqualTypeOf<'cards' | 'boards'>()
      expectTypeOf<Store<(typeof migrated)['collections']>['cards']>().toEqualTypeOf<
        CollectionHandle<(typeof migrated)['collections']['cards']['fields']>
      >()
    })
  })

  test('change nothing that they are handed, and are for collections that there are', () => {
    compiles(() => {
      const collections = { cards: collection({ title: z.string() }) }
      defineSchema({
        version: 2,
        collections,
        migrations: {
          2: {
            cards: (card) => {
              // @ts-expect-error what is handed in is frozen
              card['title'] = 'x'
              return card
            },
          },
        },
      })
      // @ts-expect-error there is no such collection
      defineSchema({ version: 2, collections, migrations: { 2: { boards: () => ({}) } } })
      // @ts-expect-error a migration can't wait
      defineSchema({ version: 2, collections, migrations: { 2: { cards: async () => ({}) } } })
      // @ts-expect-error a migration gives the values
      defineSchema({ version: 2, collections, migrations: { 2: { cards: () => 'title' } } })
    })
  })
})

describe('the store', () => {
  test('has the collections of the schema, and no others', () => {
    expectTypeOf<typeof store.cards>().toEqualTypeOf<CollectionHandle<Cards>>()
    compiles(() => {
      // @ts-expect-error there is no such collection
      store.notes.insert({})
      store.transact((tx) => {
        expectTypeOf(tx).toEqualTypeOf<Transaction<(typeof schema)['collections']>>()
        expectTypeOf(tx.boards.insert({ name: 'b' })).toBeString()
        // @ts-expect-error a transaction hands out no handles to wait for
        tx.boards.insert({ name: 'b' }).when('saved')
        // @ts-expect-error there is no such collection
        tx.notes.delete('a')
      })
    })
  })

  test('a schema is refused by the compiler where a field is none', () => {
    compiles(() => {
      // @ts-expect-error a text is no field
      collection({ title: 'string' })
      // @ts-expect-error the elements of a set are texts
      set(z.number())
      // @ts-expect-error a version is a number
      defineSchema({ version: '1', collections: {} })
    })
  })
})
