import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import {
  decodeContent,
  EMPTY_CONTENT,
  type EntityContent,
  mergeUpdates,
  type StorableValue,
  viewOf,
  writeRegisters,
} from '../entity/index.js'
import type { ConfirmedEntity, EntityState, PendingOperation } from '../replica/index.js'
import { set } from '../schema/index.js'
import { ABSENT } from './field-index.js'
import { createRowFactory } from './rows.js'

const factory = createRowFactory({
  title: z.string(),
  done: z.boolean().default(false),
  url: z.string().optional(),
  size: z.object({ list: z.array(z.object({ width: z.number() })) }).optional(),
  tags: set(z.string()),
})

/** Registers as they come out of bytes, each by its own user and without knowledge of the others. */
function contentOf(...registers: readonly (readonly [field: string, value: StorableValue])[]) {
  const updates = registers.map(
    ([field, value], index) =>
      writeRegisters(EMPTY_CONTENT, index + 1, [
        {
          kind: 'set',
          field,
          value,
          lastModified: 100 + index,
          sequence: index + 1,
          actor: `user${index}/replica/w`,
          supersedes: [],
        },
      ]).update,
  )
  return updates.length === 0 ? EMPTY_CONTENT : decodeContent(mergeUpdates(updates))
}

function stateOf(content: EntityContent, change: Partial<EntityState> = {}): EntityState {
  const view = viewOf(content)
  const confirmed = { confirmedSequence: 42 } as ConfirmedEntity
  const { sequence, lastModified } = view
  return {
    collection: 'cards',
    id: 'a',
    confirmed,
    pending: [],
    failed: [],
    view,
    sequence,
    lastModified,
    ...change,
  }
}

const pending = { id: 'op', failure: null } as PendingOperation
const failed = { id: 'op', failure: { code: 'forbidden', message: 'No.' } } as PendingOperation

describe('a row', () => {
  test('shows values, defaults for what nobody wrote, and sets in order', () => {
    const content = contentOf(
      ['title', 'Hello'],
      ['tags:b', true],
      ['tags:c', true],
      ['tags:a:1', true],
    )
    expect(factory.row(stateOf(content), 'synced')).toEqual({
      id: 'a',
      title: 'Hello',
      done: false,
      url: undefined,
      size: undefined,
      tags: ['a:1', 'b', 'c'],
      $status: 'synced',
      $version: { sequence: 4, lastModified: 103, confirmedSequence: 42 },
      $conflicts: {},
      $error: undefined,
    })
  })

  test('shows in each field what can be asked for without it', () => {
    const title = contentOf(['title', 'Hello'], ['tags:b', true], ['old', 1])
    const done = contentOf(['done', true], ['size', { list: [] }])
    for (const state of [title, done, EMPTY_CONTENT].map((content) => stateOf(content))) {
      const row = factory.row(state, 'synced')
      for (const field of ['id', 'title', 'done', 'url', 'size'] as const)
        expect(factory.value(state, field)).toEqual(row?.[field])
      expect(factory.value(state, '$lastModified')).toBe(row?.$version.lastModified)
      expect(factory.value(state, 'tags')).toEqual(row?.tags)
      expect(factory.value(state, 'old')).toBe(ABSENT)
    }
    const deleted = contentOf(['title', 'Hello'], ['$deleted', 5])
    expect(factory.value(stateOf(deleted), 'title')).toBe(ABSENT)
    const unborn = stateOf(EMPTY_CONTENT, { confirmed: undefined, failed: [failed] })
    expect(factory.value(unborn, 'title')).toBe(ABSENT)
  })

  test('leaves out registers that the schema does not know (any more)', () => {
    const content = contentOf(
      ['title', 'Hello'],
      ['old', 1],
      ['formerTags:x', true],
      ['title:x', 1],
    )
    const row = factory.row(stateOf(content), 'synced')
    expect(Object.keys(row ?? {}).filter((key) => !key.startsWith('$'))).toEqual([
      'id',
      'title',
      'done',
      'url',
      'size',
      'tags',
    ])
    expect(row).toMatchObject({ title: 'Hello', tags: [] })
  })

  test('is frozen all the way down, also where it came out of bytes', () => {
    const content = contentOf(
      ['title', 'Hello'],
      ['size', { list: [{ width: 1 }] }],
      ['size', { list: [{ width: 2 }] }],
      ['tags:a', true],
    )
    for (const row of [
      factory.row(stateOf(content), 'synced'),
      factory.preview('a', viewOf(content)),
    ]) {
      expect(row).toMatchObject({ size: { list: [{ width: 2 }] } })
      expect(unfrozenIn(row)).toEqual([])
    }
  })

  test('[L3] shows every value of a conflict with who wrote it, the one that is shown first', () => {
    const content = contentOf(['title', 'one'], ['title', 'two'], ['done', true], ['done', true])
    expect(factory.row(stateOf(content), 'synced')?.$conflicts).toEqual({
      title: [
        { value: 'two', user: 'user1', actor: 'user1/replica/w', lastModified: 101 },
        { value: 'one', user: 'user0', actor: 'user0/replica/w', lastModified: 100 },
      ],
    })
  })

  test('does not call it a conflict when one deleted what another one restored', () => {
    const content = contentOf(['title', 'Hello'], ['$deleted', 5], ['$deleted', null])
    expect(factory.row(stateOf(content), 'synced')?.$conflicts).toEqual({})
  })

  test('has no confirmed sequence while something is pending on it', () => {
    const content = contentOf(['title', 'Hello'])
    const version = (change: Partial<EntityState>) =>
      factory.row(stateOf(content, change), 'pending')?.$version.confirmedSequence
    expect(version({})).toBe(42)
    expect(version({ pending: [pending] })).toBeNull()
    expect(version({ pending: [pending], confirmed: undefined })).toBeNull()
  })

  test('says why an operation on it failed', () => {
    const content = contentOf(['title', 'Hello'])
    expect(factory.row(stateOf(content, { failed: [failed] }), 'error')).toMatchObject({
      $status: 'error',
      $error: { code: 'forbidden', message: 'No.' },
    })
  })

  test('is none where the entity is deleted, or where all that is known of it failed', () => {
    const content = contentOf(['title', 'Hello'], ['$deleted', 1_790_000_000_000])
    expect(factory.row(stateOf(content), 'synced')).toBeUndefined()
    expect(factory.preview('a', viewOf(content))).toBeUndefined()
    const unborn = stateOf(EMPTY_CONTENT, { confirmed: undefined, failed: [failed] })
    expect(factory.row(unborn, 'error')).toBeUndefined()
  })
})

/** The paths of objects in a value that are not frozen. */
function unfrozenIn(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return []
  const own = Object.isFrozen(value) ? [] : [path]
  return own.concat(
    Object.entries(value).flatMap(([key, part]) => unfrozenIn(part, `${path}.${key}`)),
  )
}
