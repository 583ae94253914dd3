import * as encoding from 'lib0/encoding'
import { describe, expect, test } from 'vitest'
import { TidemarkError } from '../errors.js'
import { buildUpdate, element } from './update-builder.test-support.js'
import {
  type UpdateContext,
  type UpdateLimits,
  type ValidatedUpdate,
  validateUpdate,
} from './validate.js'

const OWN = 35
const FOREIGN = 36
const LIMITS: UpdateLimits = { maxBytes: 10_000, maxElements: 50, maxDeletions: 20 }

/** The receiver has 3 registers of one's own client id and 2 items of another replica's. */
const CONTEXT: UpdateContext = {
  clock: (client) => ({ [OWN]: 3, [FOREIGN]: 2 })[client] ?? 0,
  tail: (client) => ({ [OWN]: 2 })[client],
  ownsClient: (client) => client !== FOREIGN,
  ownsActor: () => true,
}

const DELETED = 1
const STRING = 4
const EMBED = 5
const FORMAT = 6
const TYPE = 7
const ANY = 8
const ORIGIN = 0x80
const RIGHT_ORIGIN = 0x40
const KEY = 0x20

type Bytes = readonly number[]

function bytesOf(write: (encoder: encoding.Encoder) => void): Bytes {
  const encoder = encoding.createEncoder()
  write(encoder)
  return [...encoding.toUint8Array(encoder)]
}

const number = (value: number): Bytes => bytesOf((to) => encoding.writeVarUint(to, value))
const text = (value: string): Bytes => bytesOf((to) => encoding.writeVarString(to, value))
const any = (value: unknown): Bytes => bytesOf((to) => encoding.writeAny(to, value as never))
const id = (client: number, clock: number): Bytes => [...number(client), ...number(clock)]

/** A struct at the beginning of a root, without neighbours. */
const inRoot = (content: number, body: Bytes, root = 'body'): Bytes => [
  content,
  1,
  ...text(root),
  ...body,
]

/** An update that appends structs to what `client` has; a struct is handed in as its bytes. */
function updateWith(structs: readonly Bytes[], client = OWN): Uint8Array {
  return new Uint8Array([
    1,
    ...number(structs.length),
    ...id(client, CONTEXT.clock(client)),
    ...structs.flat(),
    0,
  ])
}

const validate = (update: Uint8Array, limits = LIMITS): ValidatedUpdate =>
  validateUpdate(update, CONTEXT, limits)

function refusal(update: Uint8Array, limits = LIMITS): TidemarkError {
  try {
    validate(update, limits)
  } catch (error) {
    if (error instanceof TidemarkError) return error
    throw error
  }
  throw new Error('the update passes')
}

/** JSON text of lists in each other. */
const lists = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

describe('[L15] the strict validator lets through', () => {
  test.for<[string, Bytes, number]>([
    ['characters', inRoot(STRING, text('ab')), 2],
    ['characters that were deleted', inRoot(DELETED, number(4)), 4],
    ['an embed', inRoot(EMBED, text('{"image":{"src":["x",1,null]}}')), 1],
    ['an embed that is a mere value', inRoot(EMBED, text('null')), 1],
    ['an embed as deep as values may be', inRoot(EMBED, text(lists(65))), 1],
    ['a format', inRoot(FORMAT, [...text('bold'), ...text('true')]), 1],
    ['an XML element', inRoot(TYPE, [...number(3), ...text('p')]), 1],
    ['an XML text', inRoot(TYPE, number(6)), 1],
    ['values of a list', inRoot(ANY, [...number(2), ...any('x'), ...any({ a: [1] })]), 2],
    ['what was forgotten', [0, ...number(5)], 5],
    ['an item of an element', [STRING, 0, ...id(FOREIGN, 1), ...text('abc')], 3],
    [
      'an attribute of an element',
      [ANY | KEY, 0, ...id(OWN, 0), ...text('href'), ...number(1), ...any('x')],
      1,
    ],
    ['what stands left of something', [STRING | RIGHT_ORIGIN, ...id(FOREIGN, 0), ...text('a')], 1],
    ['what stands right of something', [STRING | ORIGIN, ...id(OWN, 1), ...text('a')], 1],
    [
      'what follows the last register, but has something to its right',
      [ANY | ORIGIN | RIGHT_ORIGIN, ...id(OWN, 2), ...id(OWN, 1), ...number(1), ...any('x')],
      1,
    ],
  ])('%s', ([, struct, length]) => {
    const { elements, clocks, tails } = validate(updateWith([struct]))
    expect(elements).toEqual([])
    expect(clocks).toEqual(new Map([[OWN, 3 + length]]))
    expect(tails).toEqual(new Map())
    // What comes next is read from where that ends.
    const more = validate(updateWith([struct, inRoot(STRING, text('z'))]))
    expect(more.clocks).toEqual(new Map([[OWN, 4 + length]]))
  })

  test('the greatest client id, and as many of them as one tab may write under', () => {
    const clients = Array.from({ length: 16 }, (_, index) => ({
      client: 2 ** 32 - 1 - index,
      clock: 0,
      structs: [{ values: [element()] }],
    }))
    expect(validate(buildUpdate({ clients })).clocks.size).toBe(16)
  })

  test('versions that are zero, and a key as long as it may be', () => {
    const value = { ['k'.repeat(1024)]: 1 }
    const values = [element({ lastModified: 0, sequence: 0, value })]
    const update = buildUpdate({ clients: [{ client: 1, clock: 0, structs: [{ values }] }] })
    expect(validate(update).elements).toMatchObject([{ lastModified: 0, sequence: 0, value }])
  })
})

describe('[L15] the strict validator refuses as not honest', () => {
  test.for<[string, Bytes, RegExp]>([
    ['a text without characters', inRoot(STRING, text('')), /an empty text/],
    ['a list without values', inRoot(ANY, number(0)), /an empty list/],
    ['nothing that was deleted', inRoot(DELETED, number(0)), /a length of 0/],
    ['nothing that was forgotten', [0, 0], /a length of 0/],
    ['a deletion that is too long', inRoot(DELETED, number(2 ** 31 + 1)), /a length of 2147483649/],
    ['a clock that is too great', inRoot(DELETED, number(2 ** 31)), /clock 2147483651/],
    ['a type of its own in a list', inRoot(TYPE, number(0)), /a type of kind 0/],
    ['a map', inRoot(TYPE, number(1)), /a type of kind 1/],
    ['a text within a text', inRoot(TYPE, number(2)), /a type of kind 2/],
    ['a fragment within XML', inRoot(TYPE, number(4)), /a type of kind 4/],
    ['a hook', inRoot(TYPE, [...number(5), ...text('x')]), /a type of kind 5/],
    ['a type that does not exist', inRoot(TYPE, number(7)), /a type of kind 7/],
    ['a value that is none in a list', inRoot(ANY, [...number(2), 126, 116, 0]), /value tag 116/],
    [
      'a third kind of parent',
      [STRING, 2, ...text('body'), ...text('a')],
      /unknown kind of parent/,
    ],
    ['a key in a root', [ANY | KEY, 1, ...text('body'), 1, 126], /a key in a root/],
    ['a parent that comes later', [STRING, 0, ...id(OWN, 3), ...text('a')], /a later neighbour/],
    [
      '[SEC-13] an attribute called __proto__',
      [ANY | KEY, 0, ...id(OWN, 0), ...text('__proto__'), 1, 126],
      /forbidden key/,
    ],
    [
      '[SEC-13] an element called constructor',
      inRoot(TYPE, [...number(3), ...text('constructor')]),
      /forbidden key/,
    ],
    [
      '[SEC-13] a format called prototype',
      inRoot(FORMAT, [...text('prototype'), ...text('true')]),
      /forbidden key/,
    ],
    [
      '[SEC-13] a format with a key called __proto__',
      inRoot(FORMAT, [...text('link'), ...text('{"a":{"__proto__":1}}')]),
      /forbidden key/,
    ],
    [
      '[SEC-13] an embed with a key called __proto__',
      inRoot(EMBED, text('[null,{"__proto__":1}]')),
      /forbidden key/,
    ],
    [
      'an embed that is nested too deep',
      inRoot(EMBED, text(lists(66))),
      /values nested deeper than 64/,
    ],
    [
      'an embed that is no JSON',
      inRoot(EMBED, text('{')),
      /The update ends early or is malformed\./,
    ],
  ])('%s', ([, struct, message]) => {
    const { code, message: said } = refusal(updateWith([struct]))
    expect(said).toMatch(message)
    expect(code).toBe('update-invalid')
  })

  test('more items than allowed, over all clients', () => {
    const structs = (count: number): Bytes[] =>
      Array.from({ length: count }, () => inRoot(STRING, text('a')))
    const both = (first: number, second: number): Uint8Array =>
      new Uint8Array([
        2,
        ...[first, second].flatMap((count, client) => [
          ...number(count),
          ...id(client, 0),
          ...structs(count).flat(),
        ]),
        0,
      ])
    expect(validate(updateWith(structs(50))).clocks.get(OWN)).toBe(53)
    expect(refusal(updateWith(structs(51))).message).toMatch(/51 structs/)
    expect(validate(both(30, 20)).clocks.size).toBe(2)
    expect(refusal(both(30, 21)).message).toMatch(/21 structs/)
  })

  test('deletions of more client ids than allowed', () => {
    const deletions = Array.from({ length: 21 }, () => ({ client: OWN, ranges: [[0, 1]] as const }))
    expect(refusal(buildUpdate({ deletions })).message).toMatch(/deletions of 21 client ids/)
    expect(validate(buildUpdate({ deletions: deletions.slice(1) })).clocks.size).toBe(0)
  })

  test('what ends early, and says what was wrong with it', () => {
    const update = updateWith([inRoot(STRING, text('abc'))])
    const { code, cause } = refusal(update.subarray(0, update.length - 2))
    expect(code).toBe('update-invalid')
    expect(cause).toBeInstanceOf(Error)
  })
})

describe('[L20] the strict validator takes for a gap that may close', () => {
  test.for<[string, Bytes]>([
    ['a neighbour', [STRING | ORIGIN, ...id(FOREIGN, 2), ...text('a')]],
    ['a neighbour to the right', [STRING | RIGHT_ORIGIN, ...id(FOREIGN, 2), ...text('a')]],
    ['a parent', [STRING, 0, ...id(FOREIGN, 2), ...text('a')]],
  ])('%s of another client that is not there yet', ([, struct]) => {
    const { code, message } = refusal(updateWith([struct]))
    expect(message).toMatch(/refers to 36:2, which is unknown/)
    expect(code).toBe('update-gap')
  })
})
