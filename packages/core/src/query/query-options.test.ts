import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { TidemarkError } from '../errors.js'
import { assertQuery } from './query-options.js'
import type { QueryOptions } from './types.js'

const fields = { title: z.string(), done: z.boolean() }
type Fields = typeof fields

/** What a program without types may hand over. */
function refusal(options: unknown): TidemarkError {
  try {
    assertQuery('cards', fields, options as QueryOptions<Fields>)
  } catch (error) {
    if (error instanceof TidemarkError) return error
    throw error
  }
  throw new Error('It was not refused.')
}

describe('the options of a query', () => {
  test.for<[options: unknown]>([
    [{}],
    [{ where: undefined, orderBy: undefined, limit: undefined }],
    [{ where: { done: false, id: 'a', $lastModified: 1 }, limit: 0 }],
    [{ where: () => true, orderBy: ['id', 'desc'], limit: 10 }],
    [{ orderBy: ['$lastModified'] }],
    [{ orderBy: [['done', 'asc'], ['title']] }],
    [{ orderBy: [] }],
  ])('may be %j', ([options]) => {
    expect(() => assertQuery('cards', fields, options as QueryOptions<Fields>)).not.toThrow()
  })

  test.for<[options: unknown, path: string, message: RegExp]>([
    [{ limit: -1 }, 'limit', /has -1 as its limit.*whole number from 0 up, or leave it out/],
    [{ limit: Number.NaN }, 'limit', /has NaN as its limit/],
    [{ limit: 1.5 }, 'limit', /has 1\.5 as its limit/],
    [{ limit: Number.POSITIVE_INFINITY }, 'limit', /has Infinity as its limit/],
    [{ limit: '5' }, 'limit', /has "5" as its limit/],
    [{ limit: null }, 'limit', /has null as its limit/],
    [{ where: { titel: 'a' } }, 'titel', /no field "titel".*where.*: title, done, id, \$lastMod/],
    [{ where: { done: true, toString: 1 } }, 'toString', /no field "toString"/],
    [{ where: { $status: 'error' } }, '$status', /no field "\$status"/],
    [{ where: 'title' }, 'where', /has "title" as its where.*Give an object/],
    [{ where: null }, 'where', /has null as its where/],
    [{ orderBy: ['titel'] }, 'titel', /no field "titel".*orderBy.*: title, done, id, \$lastMod/],
    [{ orderBy: [['title'], ['titel', 'asc']] }, 'titel', /no field "titel"/],
    [{ orderBy: 'title' }, 'orderBy', /has "title" as its orderBy.*\['title', 'desc'\]/],
    [{ orderBy: ['title', 'up'] }, 'orderBy', /has \["title","up"\] as its orderBy/],
    [{ orderBy: [['title'], 'done'] }, 'orderBy', /has "done" as its orderBy/],
  ])('[%#] may not be %j', ([options, path, message]) => {
    const error = refusal(options)
    expect(error).toMatchObject({ code: 'value-invalid', path: ['cards', path] })
    expect(error.message).toMatch(message)
  })
})
