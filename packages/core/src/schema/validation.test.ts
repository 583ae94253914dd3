import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { decodeContent, EMPTY_CONTENT, validateUpdate, writeRegisters } from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import { defaultOf, parseValue } from './validation.js'

const SEED = 20261120
const PATH = ['cards', 'data'] as const

/** A field that takes everything: only what storing itself refuses is refused. */
const storable = (value: unknown, path: readonly string[]): unknown =>
  parseValue(z.any(), value, path)

function refusal(store: () => unknown): { code: string; message: string; path: unknown } {
  try {
    store()
  } catch (error) {
    if (error instanceof TidemarkError)
      return { code: error.code, message: error.message, path: error.path }
    throw error
  }
  throw new Error('the value passes')
}

/** A list in a list in a list …; the value itself is level 0. */
function nested(depth: number): unknown {
  let value: unknown = 'deep'
  for (let level = 0; level < depth; level++) value = [value]
  return value
}

/** Whether the relay takes an element with that value, and what it reads. */
function overTheWire(value: unknown): unknown {
  const { update } = writeRegisters(EMPTY_CONTENT, 1, [
    {
      kind: 'set',
      field: 'data',
      value: value as never,
      lastModified: 1,
      sequence: 1,
      actor: 'a/b/1',
      supersedes: [],
    },
  ])
  validateUpdate(
    update,
    { clock: () => 0, tail: () => undefined, ownsClient: () => true, ownsActor: () => true },
    { maxBytes: 1e6, maxElements: 10, maxDeletions: 10 },
  )
  return decodeContent(update).live[0]?.value
}

describe('what can be stored', () => {
  test.for<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a boolean', false],
    ['a number', -1.5e300],
    ['an empty text', ''],
    ['text of every plane', 'aä€😀\u{10FFFF}\u0000\u2028'],
    ['a list', [1, 'two', [null]]],
    ['an object', { a: { b: [] }, 'a b': 1, '': 2, $x: 3 }],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
    ['a value as deep as allowed', nested(64)],
  ])('%s stays what it is, here and over the wire', ([, value]) => {
    const copy = storable(value, PATH)
    expect(copy).toEqual(value)
    expect(overTheWire(copy)).toEqual(value)
  })

  test('a copy shares nothing with what was given, and is frozen all the way down', () => {
    const given = { list: [{ a: 1 }] }
    const copy = storable(given, PATH) as typeof given
    given.list.push({ a: 2 })
    expect(copy).toEqual({ list: [{ a: 1 }] })
    for (const part of [copy, copy.list, copy.list[0]]) expect(Object.isFrozen(part)).toBe(true)
  })

  test('what is not there is left out of objects and null in lists, as in JSON', () => {
    expect(storable({ a: undefined, b: [undefined, 1] }, PATH)).toStrictEqual({ b: [null, 1] })
    const holes = [1, 2, 3]
    delete holes[1]
    expect(storable(holes, PATH)).toStrictEqual([1, null, 3])
  })

  test('everything that JSON can say can be stored and comes back', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }), (value) => {
        // Minus zero is the one number that JSON does not keep either.
        const plain: unknown = JSON.parse(JSON.stringify(value))
        const text = JSON.stringify(plain)
        fc.pre(!/"(__proto__|constructor|prototype)":/.test(text))
        expect(storable(plain, PATH)).toEqual(plain)
        expect(overTheWire(storable(plain, PATH))).toEqual(plain)
      }),
      { seed: SEED, numRuns: 120 },
    )
  })

  test('whatever is stored is taken by the relay', () => {
    let stored = 0
    fc.assert(
      fc.property(
        fc.anything({ withNullPrototype: true, withSparseArray: true, maxDepth: 4 }),
        (value) => {
          let copy: unknown
          try {
            copy = storable(value, PATH)
          } catch (error) {
            expect(error).toBeInstanceOf(TidemarkError)
            return
          }
          stored += 1
          expect(overTheWire(copy)).toEqual(copy)
        },
      ),
      { seed: SEED, numRuns: 1000 },
    )
    expect(stored).toBeGreaterThan(300)
  })
})

describe('[B18] what would change silently is refused', () => {
  const cycle: unknown[] = []
  cycle.push([cycle])
  const wide: Record<string, unknown> = {}
  wide['a'] = wide
  wide['b'] = wide
  class Money {
    readonly amount = 1
  }

  test.for<[string, unknown, RegExp]>([
    ['a date', new Date(0), /data is a Date.*ISO string/],
    ['a map', new Map(), /data is a Map/],
    ['a set', new Set(['a']), /data is a Set/],
    ['bytes', new Uint8Array(1), /data is a Uint8Array/],
    ['an instance of a class', new Money(), /data is a Money/],
    ['a wrapped text', Object('text'), /data is a String/],
    ['a function', () => 1, /data is a function/],
    ['a symbol', Symbol('s'), /data is a symbol/],
    ['a bigint', 1n, /data is a bigint/],
    ['not a number', Number.NaN, /data is NaN.*finite number/],
    ['infinity', Number.NEGATIVE_INFINITY, /data is -Infinity/],
    ['half of a surrogate pair', 'a\uD800', /half of a surrogate pair/],
    ['the other half', '\uDC00b', /half of a surrogate pair/],
    ['two first halves', '\uD800\uD800', /half of a surrogate pair/],
    ['half of a pair in a key', { 'k\uD83D': 1 }, /half of a surrogate pair/],
    ['a key that no relay takes', { ['k'.repeat(1025)]: 1 }, /longer than 1024/],
    ['a list that holds itself', cycle, /nested more than 64 deep/],
    ['an object that holds itself twice', wide, /nested more than 64 deep/],
    ['a value that is too deep', nested(65), /nested more than 64 deep/],
  ])('%s', ([, value, message]) => {
    const { code, message: said } = refusal(() => storable(value, PATH))
    expect(said).toMatch(message)
    expect(said).toMatch(/nothing was changed/)
    expect(code).toBe('value-invalid')
  })

  test('[SEC-13] a key that is a trap of JavaScript', () => {
    for (const text of ['{"__proto__":{}}', '{"a":[{"constructor":1}]}', '{"prototype":null}']) {
      const { code, message } = refusal(() => storable(JSON.parse(text), PATH))
      expect([code, message]).toEqual(['value-invalid', expect.stringMatching(/forbidden name/)])
    }
  })

  test('the place inside of the value is named', () => {
    expect(refusal(() => storable({ a: [1, { b: Number.NaN }] }, PATH))).toMatchObject({
      path: ['cards', 'data', 'a', 1, 'b'],
      message: expect.stringMatching(/^cards\.data\.a\.1\.b is NaN/),
    })
  })
})

describe("a field's schema", () => {
  test('converts, fills in and strips before anything is stored', () => {
    expect(parseValue(z.string().trim().toLowerCase(), ' ADA ', PATH)).toBe('ada')
    expect(parseValue(z.string().default('x'), undefined, PATH)).toBe('x')
    expect(parseValue(z.object({ a: z.number() }), { a: 1, b: 2 }, PATH)).toEqual({ a: 1 })
  })

  test('names the place of what does not fit, and says why', () => {
    const field = z.object({ size: z.array(z.number()) })
    expect(refusal(() => parseValue(field, { size: [1, 'x'] }, PATH))).toMatchObject({
      code: 'value-invalid',
      path: ['cards', 'data', 'size', 1],
      message: expect.stringMatching(
        /^cards\.data\.size\.1: .*expected number.*Nothing was changed/,
      ),
    })
  })

  test('that gives what can not be stored is refused like such a value', () => {
    expect(refusal(() => parseValue(z.coerce.date(), '2026-11-20', PATH))).toMatchObject({
      code: 'value-invalid',
      message: expect.stringMatching(/data is a Date/),
    })
  })

  test.for<[string, z.ZodType]>([
    ['check', z.string().refine(async () => true)],
    ['transformation', z.string().transform(async (text) => text)],
  ])('with an asynchronous %s is refused when it is used', ([, field]) => {
    expect(refusal(() => parseValue(field, 'x', PATH))).toMatchObject({
      code: 'schema-invalid',
      path: PATH,
      message: expect.stringMatching(/asynchronous check.*authorize/),
    })
  })

  test('that walks into a value which holds itself fails clearly', () => {
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    for (const field of [z.json(), z.any(), z.record(z.string(), z.unknown())])
      expect(refusal(() => parseValue(field, cycle, PATH)).code).toBe('value-invalid')
  })

  test("lets an error of the app's own check through", () => {
    const field = z.string().refine(() => {
      throw new Error('a bug of the app')
    })
    expect(() => parseValue(field, 'x', PATH)).toThrow('a bug of the app')
  })

  test('has a default, or none', () => {
    expect(defaultOf(z.boolean().default(false), PATH)).toBe(false)
    expect(defaultOf(z.string().optional(), PATH)).toBeUndefined()
    expect(defaultOf(z.string(), PATH)).toBeUndefined()
    expect(defaultOf(z.string().nullable().default(null), PATH)).toBeNull()
    const object = defaultOf(z.object({ a: z.number() }).default({ a: 1 }), PATH)
    expect(object).toEqual({ a: 1 })
    expect(Object.isFrozen(object)).toBe(true)
  })
})
