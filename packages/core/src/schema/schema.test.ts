import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { TidemarkError } from '../errors.js'
import { collection, defineSchema, isSetField, set } from './index.js'

/** A schema with one collection of that name, or with one field of that name. */
const withCollection = (name: string) =>
  defineSchema({ version: 1, collections: { [name]: collection({}) } })
const withField = (name: string, field: z.ZodType = z.string()) =>
  defineSchema({ version: 1, collections: { cards: collection({ [name]: field }) } })

function refusal(define: () => unknown): TidemarkError {
  try {
    define()
  } catch (error) {
    if (error instanceof TidemarkError) return error
    throw error
  }
  throw new Error('the schema passes')
}

describe('a schema', () => {
  test('is what was given', () => {
    const cards = collection({ title: z.string(), tags: set(z.string()) })
    const schema = { version: 3, collections: { cards } }
    expect(defineSchema(schema)).toBe(schema)
    expect(isSetField(cards.fields.tags)).toBe(true)
    expect(isSetField(cards.fields.title)).toBe(false)
  })

  test.for([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1' as never])(
    'has no version %s',
    (version) => {
      const error = refusal(() => defineSchema({ version, collections: {} }))
      expect(error.code).toBe('schema-invalid')
      expect(error.message).toContain(`version is ${version}`)
    },
  )

  test.for(['a', 'Cards', 'card_items', 'x9', 'a'.repeat(64)])('may use the name %s', (name) => {
    withCollection(name)
    withField(name)
  })

  test.for([
    '',
    '9lives',
    '_private',
    '$cards',
    'card-items',
    'card.items',
    'a b',
    'ä',
    'a'.repeat(65),
  ])('may not use the name "%s"', (name) => {
    expect(refusal(() => withCollection(name))).toMatchObject({
      code: 'schema-invalid',
      path: [name],
      message: expect.stringContaining(`"${name}"`),
    })
    expect(refusal(() => withField(name))).toMatchObject({
      code: 'schema-invalid',
      path: ['cards', name],
      message: expect.stringContaining(`"${name}"`),
    })
  })

  test.for([
    'ready',
    'status',
    'operations',
    'transact',
    'close',
    'destroy',
    'user',
    'schema',
    'then',
  ])('has no collection "%s", which the store has itself', (name) => {
    expect(refusal(() => withCollection(name)).message).toMatch(/uses itself/)
  })

  test.for(['id', 'then'])('has no field "%s", which the entity has itself', (name) => {
    expect(refusal(() => withField(name)).message).toMatch(/uses itself/)
  })

  test.for(['constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty'])(
    '[SEC-13] has no name "%s", which every object of JavaScript has',
    (name) => {
      expect(refusal(() => withField(name))).toMatchObject({ code: 'schema-invalid' })
      if (name !== 'prototype')
        expect(refusal(() => withCollection(name))).toMatchObject({ code: 'schema-invalid' })
    },
  )

  test('[SEC-13] has no name __proto__, however it comes in', () => {
    const fields = JSON.parse('{"__proto__":1}') as Record<string, z.ZodType>
    Object.defineProperty(fields, '__proto__', { value: z.string(), enumerable: true })
    expect(
      refusal(() => defineSchema({ version: 1, collections: { cards: { fields } } })),
    ).toMatchObject({
      code: 'schema-invalid',
      path: ['cards', '__proto__'],
    })
  })

  test('refuses an asynchronous check where the definition shows it', () => {
    const later = async (): Promise<boolean> => true
    for (const field of [
      z.string().optional().refine(later),
      z.any().refine(later),
      z.any().transform(async (value) => value),
    ]) {
      expect(refusal(() => withField('title', field))).toMatchObject({
        code: 'schema-invalid',
        path: ['cards', 'title'],
        message: expect.stringContaining('asynchronous'),
      })
    }
  })

  test('refuses a default that can not be stored', () => {
    expect(() => withField('made', z.date().default(new Date(0)))).toThrow(/cards\.made is a Date/)
    expect(() => withField('rank', z.any().default(Number.NaN))).toThrow(/cards\.rank is NaN/)
  })
})
