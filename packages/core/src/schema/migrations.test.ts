import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { EntityView, StorableValue } from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import {
  blob,
  collection,
  counter,
  defineSchema,
  list,
  type Migration,
  set,
  text,
} from './index.js'
import { migrate } from './migrations.js'

const cards = collection({
  title: z.string().optional(),
  size: z.object({ width: z.number() }).optional(),
  tags: set(z.string()),
  votes: counter(),
  notes: text(),
  items: list(z.string()),
  cover: blob().optional(),
})

type Steps = Readonly<Record<number, Migration>>

const schemaWith = (steps: Steps, version = 2) =>
  defineSchema({
    version,
    collections: { cards },
    migrations: Object.fromEntries(
      Object.entries(steps).map(([target, step]) => [target, { cards: step }]),
    ),
  })

function viewWith(
  values: Readonly<Record<string, StorableValue>>,
  change: Partial<EntityView> = {},
): EntityView {
  return {
    values,
    conflicts: undefined,
    shared: undefined,
    sequence: 1,
    lastModified: 1,
    ...change,
  }
}

const run = (steps: Steps, values: Readonly<Record<string, StorableValue>>, version = 2) =>
  migrate(schemaWith(steps, version), 'cards', 'a', viewWith(values)).values

/** What a migration is handed. */
function handed(view: EntityView): unknown {
  let seen: unknown
  migrate(
    schemaWith({
      2: (card) => {
        seen = card
        return {}
      },
    }),
    'cards',
    'a',
    view,
  )
  return seen
}

function failure(step: Migration, view = viewWith({ name: 'Hello' })): TidemarkError {
  try {
    migrate(schemaWith({ 2: step }), 'cards', 'a', view)
  } catch (error) {
    if (error instanceof TidemarkError) return error
    throw error
  }
  throw new Error('it passes')
}

describe('a migration', () => {
  test('is handed what is stored, whichever version knows it, and the id', () => {
    const view = viewWith(
      {
        name: 'Hello',
        'tags:b': true,
        'tags:a': true,
        'old:x:1': true,
        'votes:1': 2,
        'votes:2': 3,
        'clicks:1': 4,
        $deleted: null,
      },
      { shared: { notes: 'text', items: ['one', 'two'] } },
    )
    expect(handed(view)).toEqual({
      id: 'a',
      name: 'Hello',
      tags: ['a', 'b'],
      old: ['x:1'],
      votes: 5,
      clicks: 4,
      notes: 'text',
      items: ['one', 'two'],
    })
  })

  test('misses what nobody wrote', () => {
    expect(handed(viewWith({ 'votes:1': 2, 'votes:2': -2 }))).toEqual({ id: 'a' })
  })

  test('is handed a field as this version stores it, where its kind has changed', () => {
    expect(handed(viewWith({ tags: ['former'], 'tags:now': true }))).toMatchObject({
      tags: ['now'],
    })
    expect(handed(viewWith({ title: 'now', 'title:former': true }))).toMatchObject({ title: 'now' })
    expect(handed(viewWith({ tags: ['former'] }))).toMatchObject({ tags: ['former'] })
  })

  test('can not change what it is handed', () => {
    const view = viewWith({ size: { width: 1 }, 'tags:a': true })
    for (const step of [
      (card: Record<string, unknown>) => {
        card['name'] = 'x'
      },
      ({ size }: Record<string, unknown>) => {
        ;(size as { width: number }).width = 2
      },
      ({ tags }: Record<string, unknown>) => void (tags as string[]).push('b'),
    ]) {
      const { cause } = failure((card) => {
        step(card)
        return {}
      }, view)
      expect(cause).toBeInstanceOf(TypeError)
    }
  })

  test('writes what it gives, keeps what it leaves out, and the version', () => {
    expect(run({ 2: ({ name }) => ({ title: name }) }, { name: 'Hello' })).toEqual({
      name: 'Hello',
      title: 'Hello',
      $schema: 2,
    })
    expect(run({ 2: () => ({ name: undefined, id: 'b' }) }, { name: 'Hello' })).toEqual({
      name: 'Hello',
      $schema: 2,
    })
  })

  test('writes sets element by element', () => {
    const values = { 'tags:A': true, 'tags:b': true, 'old:x': true }
    const step: Migration = () => ({ tags: ['b', 'a', 'a'], old: [] })
    expect(run({ 2: step }, values)).toEqual({ 'tags:a': true, 'tags:b': true, $schema: 2 })
  })

  test('[L5] [SCH-3] writes a counter into a register of its own, which others set to the same', () => {
    const step: Migration = ({ votes }) => ({ votes: Number(votes) * 10 })
    expect(run({ 2: step }, { 'votes:1': 2, 'votes:2': 3 })).toEqual({
      'votes:1': 2,
      'votes:2': 3,
      'votes:$schema': 45,
      $schema: 2,
    })
    expect(run({ 2: step, 3: step }, { 'votes:1': 1 }, 3)).toMatchObject({ 'votes:$schema': 99 })
  })

  test('turns a field into one of another kind', () => {
    const view = viewWith({ tags: 'a b', votes: 7 })
    const step: Migration = ({ tags, votes }) => ({ tags: String(tags).split(' '), votes })
    expect(migrate(schemaWith({ 2: step }), 'cards', 'a', view).values).toEqual({
      tags: 'a b',
      'tags:a': true,
      'tags:b': true,
      votes: 7,
      'votes:$schema': 7,
      $schema: 2,
    })
  })

  test('may move a blob, which is a value', () => {
    const picture = { hash: 'f'.repeat(64), size: 1, type: 'image/png', name: 'p.png' }
    expect(run({ 2: (card) => ({ cover: card['picture'] }) }, { picture })).toMatchObject({
      cover: picture,
    })
  })

  test('may hand back a text and a list, and change neither', () => {
    const view = viewWith({}, { shared: { notes: 'text', items: ['one'] } })
    const same = migrate(schemaWith({ 2: (card) => ({ ...card }) }), 'cards', 'a', view)
    expect(same.values).toEqual({ $schema: 2 })
    expect(same.shared).toBe(view.shared)
    expect(failure(() => ({ notes: 'other' }), view).message).toMatch(/notes is a text/)
    expect(failure(() => ({ items: [] }), view).message).toMatch(/items is a text/)
  })

  test('runs from the version of the entity to that of the schema, each step on what the one before gave', () => {
    const seen: string[] = []
    const step =
      (name: string): Migration =>
      (card) => {
        seen.push(name)
        return { trail: `${card['trail']} ${name}` }
      }
    const steps = { 2: step('2'), 3: step('3'), 4: step('4') }
    expect(run(steps, { trail: '1' }, 4)).toEqual({ trail: '1 2 3 4', $schema: 4 })
    expect(run(steps, { trail: '1', $schema: 3 }, 4)).toEqual({ trail: '1 4', $schema: 4 })
    expect(seen).toEqual(['2', '3', '4', '4'])
  })

  test('finds in the next step what it left out, as it would once it was written down', () => {
    const steps: Steps = {
      2: ({ name, ...card }) => ({ ...card, title: name, tags: [] }),
      3: ({ name, tags }) => ({ name: `${name}!`, hadTags: tags !== undefined }),
    }
    const { 2: first } = steps
    const values = { name: 'Hello', 'tags:a': true }
    const onTheWay = first && run({ 2: first }, values)
    expect(run(steps, values, 3)).toEqual(run(steps, onTheWay ?? {}, 3))
    expect(run(steps, values, 3)).toMatchObject({ name: 'Hello!', hadTags: false })
  })

  test('has nothing to do for an entity of this version or of a newer one', () => {
    for (const $schema of [2, 3]) {
      const view = viewWith({ name: 'Hello', $schema })
      expect(migrate(schemaWith({ 2: () => ({ title: 'no' }) }), 'cards', 'a', view)).toBe(view)
    }
  })

  test('[L3] leaves a conflict visible, with the migrated value first', () => {
    const rival = (value: string) => ({ value, actor: 'ada/r/1', lastModified: 1 })
    const view = viewWith({ name: 'b' }, { conflicts: { name: [rival('b'), rival('a')] } })
    const migrated = migrate(schemaWith({ 2: () => ({ name: 'B' }) }), 'cards', 'a', view)
    expect(migrated.conflicts).toEqual({ name: [rival('B'), rival('a')] })
  })

  test.for<[string, unknown, RegExp]>([
    ['throws', new Error('no name'), /from version 1 of the schema to 2: no name/],
    ['gives nothing', undefined, /undefined in place of the new values/],
    ['gives a list', [1], /in place of the new values/],
    ['gives what can not be stored', { made: new Date(0) }, /made is a Date/],
    ['gives a field of a forbidden name', { $deleted: 5 }, /can't be the name of a field/],
    ['gives a set that is none', { tags: 'a' }, /tags is a set/],
    ['gives a set of other things', { tags: [1] }, /tags is a set/],
    ['gives a counter that is none', { votes: 1.5 }, /votes is a counter/],
  ])('fails with the collection, the id and the reason when it %s', ([, result, message]) => {
    const error = failure(() => {
      if (result instanceof Error) throw result
      return result as Record<string, unknown>
    })
    expect(error).toMatchObject({ code: 'migration-failed', path: ['cards', 'a'] })
    expect(error.message).toMatch(message)
    expect(error.cause).toBeInstanceOf(Error)
  })
})

test('a migration that is asynchronous fails, also when what it promised fails later', () => {
  const step = async (): Promise<never> => {
    throw new Error('late')
  }
  expect(failure(step as never).message).toMatch(/Promise/)
})

describe('the migrations of a schema', () => {
  const define =
    (migrations: unknown, version = 3) =>
    () =>
      defineSchema({ version, collections: { cards }, migrations: migrations as never })

  test('lead to versions up to its own', () => {
    expect(define({ 2: { cards: () => ({}) }, 3: {} })).not.toThrow()
    for (const target of ['1', '0', '-2', '2.5', 'two', '4'])
      expect(define({ [target]: {} })).toThrow(`version ${target}`)
  })

  test('are functions of collections that there are', () => {
    expect(define({ 2: { boards: () => ({}) } })).toThrow('"boards"')
    expect(define({ 2: { toString: () => ({}) } })).toThrow('"toString"')
    expect(define({ 2: { cards: 'title' } })).toThrow('is a function')
  })
})
