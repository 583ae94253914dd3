import * as encoding from 'lib0/encoding'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { TidemarkError, type TidemarkErrorCode } from '../errors.js'
import { EMPTY_CONTENT, type RegisterWrite, writeRegisters } from './register-log.js'
import { ACTOR, buildUpdate, element, type UpdateParts } from './update-builder.test-support.js'
import { type UpdateContext, type UpdateLimits, validateUpdate } from './validate.js'

const OWN = 35
const FOREIGN = 36
const LIMITS: UpdateLimits = { maxBytes: 10_000, maxElements: 50, maxDeletions: 20 }

/** The receiver has 3 items of one's own client id and 2 of another replica's. */
const CONTEXT: UpdateContext = {
  clock: (client) => ({ [OWN]: 3, [FOREIGN]: 2 })[client] ?? 0,
  tail: (client) => ({ [OWN]: 2, [FOREIGN]: 1 })[client],
  ownsClient: (client) => client !== FOREIGN,
  ownsActor: (actor) => actor.startsWith('ada/replica/'),
}

const validate = (update: Uint8Array, limits = LIMITS): ReturnType<typeof validateUpdate> =>
  validateUpdate(update, CONTEXT, limits)

const append = (
  values: readonly unknown[],
  change: Partial<NonNullable<UpdateParts['clients']>[number]> = {},
): UpdateParts => ({
  clients: [
    { client: OWN, clock: 3, structs: [{ origin: { client: OWN, clock: 2 }, values }], ...change },
  ],
})

function refusal(
  update: Uint8Array,
  limits = LIMITS,
): { code: TidemarkErrorCode; message: string } {
  try {
    validate(update, limits)
  } catch (error) {
    if (error instanceof TidemarkError) return { code: error.code, message: error.message }
    throw error
  }
  throw new Error('the update passes')
}

describe('the strict validator lets through', () => {
  test('what an honest client writes, and tells what is in it', () => {
    const update = buildUpdate({
      ...append([element(), element({ field: 'tags:a/b c', value: true })]),
      deletions: [{ client: FOREIGN, ranges: [[0, 1]] }],
    })
    expect(validate(update)).toEqual({
      elements: [
        { field: 'title', value: 'Hello', lastModified: 1.79e15, sequence: 1, actor: ACTOR },
        { field: 'tags:a/b c', value: true, lastModified: 1.79e15, sequence: 1, actor: ACTOR },
      ],
      clocks: new Map([[OWN, 5]]),
      tails: new Map([[OWN, 4]]),
      types: 0,
    })
  })

  test('a first update, which names its root instead of an origin', () => {
    const update = buildUpdate({
      clients: [{ client: 1, clock: 0, structs: [{ values: [element()] }] }],
    })
    expect(validate(update).clocks).toEqual(new Map([[1, 1]]))
  })

  test('an update that is empty, or only deletes', () => {
    expect(validate(buildUpdate({})).elements).toEqual([])
    const deletion = buildUpdate({ deletions: [{ client: OWN, ranges: [[0, 3]] }] })
    expect(validate(deletion).clocks).toEqual(new Map())
  })

  test('the deletion of what the same update appends', () => {
    const update = buildUpdate({
      ...append([element()]),
      deletions: [{ client: OWN, ranges: [[2, 2]] }],
    })
    expect(validate(update).clocks).toEqual(new Map([[OWN, 4]]))
  })

  test('every kind of value that can be stored, as deep as it can be stored', () => {
    const values = [
      undefined,
      null,
      true,
      false,
      0,
      -1,
      1.5,
      2 ** 40,
      '',
      'ä😀',
      [],
      {},
      [[{ a: 1 }]],
    ]
    const update = buildUpdate(append(values.map((value) => element({ value }))))
    expect(validate(update).elements.map(({ value }) => value)).toEqual(values)
  })

  test('a tombstone', () => {
    const update = buildUpdate(append([element({ field: '$deleted', value: 1_790_000_000_000 })]))
    expect(validate(update).elements[0]?.field).toBe('$deleted')
  })
})

describe('the strict validator refuses as not honest', () => {
  test.for<[string, UpdateParts, RegExp]>([
    [
      '[L19] [F13] a client id of another replica',
      { clients: [{ client: FOREIGN, clock: 2, structs: [{ values: [element()] }] }] },
      /client id 36, which belongs to another replica/,
    ],
    [
      '[F13] clocks that exist already',
      append([element()], { clock: 2 }),
      /35:2, which exists already/,
    ],
    [
      'a client id that Yjs can not hold',
      { clients: [{ client: 2 ** 32, clock: 0, structs: [{ values: [element()] }] }] },
      /client id 4294967296/,
    ],
    [
      'a client id twice',
      {
        clients: [
          { client: 1, clock: 0, structs: [{ values: [element()] }] },
          { client: 1, clock: 1, structs: [{ values: [element()] }] },
        ],
      },
      /client id 1\./,
    ],
    [
      'more client ids than one tab ever writes under',
      {
        clients: Array.from({ length: 17 }, (_, client) => ({
          client,
          clock: 0,
          structs: [{ values: [element()] }],
        })),
      },
      /17 client ids/,
    ],
    ['a client without structs', append([], { structs: [] }), /0 structs/],
    [
      'a neighbour that is not there yet',
      append([], { structs: [{ origin: { client: OWN, clock: 3 }, values: [element()] }] }),
      /later neighbour/,
    ],
    [
      '[L4] a second start of its registers',
      append([], { structs: [{ values: [element()] }] }),
      /second start/,
    ],
    [
      "[L4] another client's root",
      append([], { structs: [{ root: 'f:10', values: [element()] }] }),
      /foreign root/,
    ],
    [
      'a root that no field can have',
      append([], { structs: [{ root: 'my body', values: [1] }] }),
      /foreign root/,
    ],
    [
      '[SEC-13] a root called constructor',
      append([], { structs: [{ root: 'constructor', values: [1] }] }),
      /foreign root/,
    ],
    [
      'a text among its registers',
      append([], { structs: [{ info: 0x84, origin: { client: OWN, clock: 2 }, raw: [1, 0x61] }] }),
      /registers that are none/,
    ],
    [
      'a struct without elements',
      append([], { structs: [{ origin: { client: OWN, clock: 2 }, values: [] }] }),
      /0 elements/,
    ],
    ['bytes after its end', { ...append([element()]), tail: [0] }, /bytes after its end/],
    ['an empty deletion', { deletions: [{ client: OWN, ranges: [[0, 0]] }] }, /empty deletion/],
    ['a deletion without ranges', { deletions: [{ client: OWN, ranges: [] }] }, /0 deletions/],
    ['a register that is no element', append(['Hello']), /not an element/],
    ['an element with a part missing', append([element().slice(1)]), /not an element/],
    ['an element with a part too many', append([[...element(), 1]]), /not an element/],
    ['a field that is no text', append([element({ field: 7 })]), /not an element/],
    ['a time that is no whole number', append([element({ lastModified: 1.5 })]), /not an element/],
    [
      'a time beyond what a double holds exactly',
      append([element({ lastModified: 2 ** 60 })]),
      /not an element/,
    ],
    ['a time before 1970', append([element({ lastModified: -1 })]), /negative version/],
    ['a modification counter that is negative', append([element({ sequence: -1 })]), /negative/],
    ['a counter that is no number', append([element({ sequence: '1' })]), /not an element/],
    ['an actor that is no text', append([element({ actor: null })]), /not an element/],
    [
      '[L7] an actor that is not the sender',
      append([element({ actor: 'bob/replica/z' })]),
      /actor bob\/replica\/z/,
    ],
    ['a field with a name of JavaScript', append([element({ field: '__proto__' })]), /field name/],
    ['a field called constructor', append([element({ field: 'constructor' })]), /field name/],
    ['a field with a reserved name', append([element({ field: '$version' })]), /field name/],
    ['a field without a name', append([element({ field: '' })]), /field name/],
    ['a field that begins with a colon', append([element({ field: ':a' })]), /field name/],
    [
      'an element of a set that is too long',
      append([element({ field: `tags:${'x'.repeat(513)}` })]),
      /field name/,
    ],
    [
      '[SEC-13] a key called __proto__ inside of a value',
      append([element({ value: [JSON.parse('{"a":{"__proto__":{"admin":true}}}')] })]),
      /forbidden key/,
    ],
    [
      '[SEC-13] a key called constructor inside of a value',
      append([element({ value: { constructor: 1 } })]),
      /forbidden key/,
    ],
    [
      'a key that is too long',
      append([element({ value: { ['k'.repeat(1025)]: 1 } })]),
      /forbidden key/,
    ],
    [
      'bytes as a value, which are no JSON',
      append([element({ value: new Uint8Array([1]) })]),
      /value tag 116/,
    ],
    ['a bigint as a value, which is no JSON', append([element({ value: 1n })]), /value tag 122/],
    ['a value that is not a number', append([element({ value: Number.NaN })]), /no finite number/],
    [
      'a value that is infinite',
      append([element({ value: [Number.NEGATIVE_INFINITY] })]),
      /no finite number/,
    ],
  ])('%s', ([, parts, message]) => {
    const { code, message: said } = refusal(buildUpdate(parts))
    expect(said).toMatch(message)
    expect(code).toBe('update-invalid')
  })

  test.for([2, 3, 9, 10, 11, 31])('content of the kind %i', (content) => {
    const info = 0x80 | content
    const parts = append([], {
      structs: [{ info, origin: { client: OWN, clock: 1 }, values: [element()] }],
    })
    expect(refusal(buildUpdate(parts))).toMatchObject({
      code: 'update-invalid',
      message: expect.stringContaining(`struct kind ${content}`),
    })
  })

  test('a value that is nested deeper than a decoder can go', () => {
    const nested = (depth: number, tag: number): Uint8Array => {
      const raw: number[] = [117, 5, 119, 1, 0x61]
      for (let level = 0; level < depth; level++)
        raw.push(...(tag === 117 ? [117, 1] : [118, 1, 1, 0x6b]))
      raw.push(126, 125, 1, 125, 1, 119, ACTOR.length, ...new TextEncoder().encode(ACTOR))
      return buildUpdate(
        append([], { structs: [{ origin: { client: OWN, clock: 2 }, valueCount: 1, raw }] }),
      )
    }
    for (const tag of [117, 118]) {
      expect(validate(nested(64, tag)).elements).toHaveLength(1)
      for (const depth of [65, 66, 1000, 4000]) {
        expect(refusal(nested(depth, tag), { ...LIMITS, maxBytes: 1e6 })).toMatchObject({
          code: 'update-invalid',
          message: expect.stringContaining('nested deeper'),
        })
      }
    }
  })

  test('more bytes, elements or deletions than allowed', () => {
    const update = buildUpdate({
      ...append([element(), element()]),
      deletions: [
        {
          client: OWN,
          ranges: [
            [0, 1],
            [2, 1],
          ],
        },
      ],
    })
    const exact: UpdateLimits = { maxBytes: update.length, maxElements: 2, maxDeletions: 2 }
    expect(validate(update, exact).elements).toHaveLength(2)
    expect(refusal(update, { ...exact, maxBytes: update.length - 1 }).message).toMatch(/bytes/)
    expect(refusal(update, { ...exact, maxElements: 1 }).message).toMatch(/2 elements/)
    expect(refusal(update, { ...exact, maxDeletions: 1 }).message).toMatch(/2 deletions/)
  })

  test('clocks beyond what Yjs reckons with', () => {
    const next = (clock: number): Uint8Array =>
      buildUpdate({
        clients: [
          {
            client: OWN,
            clock,
            structs: [{ origin: { client: OWN, clock: clock - 1 }, values: [element()] }],
          },
        ],
      })
    const at = (clock: number): UpdateContext => ({
      ...CONTEXT,
      clock: () => clock,
      tail: () => clock - 1,
    })
    const last = 2 ** 31 - 1
    expect(validateUpdate(next(last), at(last), LIMITS).elements).toHaveLength(1)
    expect(() => validateUpdate(next(last + 1), at(last + 1), LIMITS)).toThrow(/clock 2147483649/)
  })

  test('the limit of elements counts over all structs and clients', () => {
    const structs = (client: number) => [
      { values: [element()] },
      { origin: { client, clock: 0 }, values: [element()] },
    ]
    const update = buildUpdate({
      clients: [
        { client: 1, clock: 0, structs: structs(1) },
        { client: 2, clock: 0, structs: structs(2) },
      ],
    })
    expect(validate(update, { ...LIMITS, maxElements: 4 }).elements).toHaveLength(4)
    expect(refusal(update, { ...LIMITS, maxElements: 3 }).message).toMatch(/elements|structs/)
  })

  test.for<[string, UpdateParts]>([
    ['clients', { clientCount: 2 ** 50 }],
    ['structs', append([], { structCount: 2 ** 50 })],
    [
      'elements',
      append([], { structs: [{ origin: { client: OWN, clock: 2 }, valueCount: 2 ** 50 }] }),
    ],
    ['clients of deletions', { deletionCount: 2 ** 50 }],
    ['ranges', { deletions: [{ client: OWN, ranges: [], rangeCount: 2 ** 50 }] }],
  ])('a count of %s that would take the memory of the receiver', ([, parts]) => {
    expect(refusal(buildUpdate(parts), { ...LIMITS, maxElements: 1e6 }).code).toBe('update-invalid')
  })

  test.for<[string, readonly number[]]>([
    ['a list', [117, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['an object', [118, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['a text', [119, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ])('a value with a length of %s that is not there', ([, raw]) => {
    const structs = [{ origin: { client: OWN, clock: 2 }, valueCount: 1, raw }]
    expect(refusal(buildUpdate(append([], { structs }))).code).toBe('update-invalid')
  })

  test('a text that is no UTF-8', () => {
    const raw = [117, 5, 119, 3, 0xed, 0xa0, 0x80]
    const structs = [{ origin: { client: OWN, clock: 2 }, valueCount: 1, raw }]
    expect(refusal(buildUpdate(append([], { structs }))).code).toBe('update-invalid')
  })

  test('[F11] an update that ends early, at whatever byte', () => {
    const update = buildUpdate({
      ...append([element({ value: { list: [1, 2.5, 'x', null, true] } }), element()]),
      deletions: [
        { client: OWN, ranges: [[0, 1]] },
        { client: FOREIGN, ranges: [[0, 2]] },
      ],
    })
    expect(validate(update).elements).toHaveLength(2)
    for (let length = 0; length < update.length; length++) {
      expect(refusal(update.subarray(0, length)).code, `${length} bytes`).toBe('update-invalid')
    }
  })

  test('updates of stock Yjs types, and everything in format v2', () => {
    const doc = new Y.Doc()
    doc.clientID = 1
    doc.getText('body').insert(0, 'Hello')
    doc.getMap('map').set('a', new Y.Map())
    doc.getArray('f:1').push([element()])
    expect(refusal(Y.encodeStateAsUpdate(doc)).code).toBe('update-invalid')
    expect(refusal(Y.encodeStateAsUpdateV2(doc)).code).toBe('update-invalid')
  })
})

describe('[L20] the strict validator takes for a gap that may close', () => {
  test.for<[string, UpdateParts, RegExp]>([
    ['clocks that are ahead', append([element()], { clock: 4 }), /starts at 35:4, 3 is next/],
    [
      'a first update of a client that is not its first',
      { clients: [{ client: 1, clock: 1, structs: [{ values: [element()] }] }] },
      /starts at 1:1, 0 is next/,
    ],
    [
      'the deletion of what is not there yet',
      { deletions: [{ client: FOREIGN, ranges: [[2, 1]] }] },
      /deletes 36:2\+1/,
    ],
    [
      'the deletion of a client id that is unknown',
      { deletions: [{ client: 77, ranges: [[0, 1]] }] },
      /deletes 77:0\+1/,
    ],
    [
      'a deletion that goes beyond what is there',
      { deletions: [{ client: OWN, ranges: [[1, 2 ** 50]] }] },
      /deletes 35:1/,
    ],
  ])('%s', ([, parts, message]) => {
    const { code, message: said } = refusal(buildUpdate(parts))
    expect(said).toMatch(message)
    expect(code).toBe('update-gap')
  })
})

test('what passes is in the receiver exactly what the validator said', () => {
  const writes: RegisterWrite[] = ['a', 'b'].map((field, index) => ({
    kind: 'set',
    field,
    value: { index },
    lastModified: 10 + index,
    sequence: 1,
    actor: ACTOR,
    supersedes: [],
  }))
  const { update } = writeRegisters(EMPTY_CONTENT, 1, writes)
  const { elements } = validate(update)
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  expect(doc.getArray('f:1').toArray()).toEqual(
    elements.map(({ field, value, lastModified, sequence, actor }) => [
      field,
      value,
      lastModified,
      sequence,
      actor,
    ]),
  )
})

test('an error of the code itself is told apart from a broken update', () => {
  const context: UpdateContext = {
    ...CONTEXT,
    clock: () => {
      throw new TidemarkError('corrupt', 'The stored clocks are broken.')
    },
  }
  const encoder = encoding.createEncoder()
  encoding.writeUint8Array(encoder, buildUpdate(append([element()])))
  expect(() => validateUpdate(encoding.toUint8Array(encoder), context, LIMITS)).toThrow(
    'The stored clocks are broken.',
  )
})
