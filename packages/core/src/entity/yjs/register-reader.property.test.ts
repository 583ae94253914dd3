import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { type RegisterUpdate, readRegisterUpdate } from './register-reader.js'
import { readThroughYjs } from './update.js'

const SEED = 20261121

const values = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constant(undefined),
  fc.double({ noNaN: true }),
  fc.maxSafeInteger(),
  fc.uint8Array({ maxLength: 5 }),
  fc.string({ unit: 'grapheme', maxLength: 90 }),
)
/** Like an element of the register log, and nearly like one. */
const elements = fc.oneof(
  fc.tuple(
    fc.oneof(fc.constantFrom('title', 'tags:a', 'é', ''), fc.string({ maxLength: 80 })),
    values,
    fc.integer({ min: 1_790_000_000_000_000, max: 1_790_000_000_009_999 }),
    fc.nat(1_000),
    fc.oneof(fc.constant('ada/a1b2c3d4e5/z'), fc.string({ unit: 'grapheme', maxLength: 70 })),
  ),
  fc.array(values, { maxLength: 6 }),
)

const registerSteps = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('append' as const), value: elements }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), at: fc.nat(20) }) },
)
const otherSteps = fc.oneof(
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(20), value: values }),
  fc.record({ kind: fc.constant('set' as const), key: fc.constantFrom('a', 'b'), value: values }),
  fc.record({ kind: fc.constant('type' as const), at: fc.nat(20), text: fc.string() }),
  fc.record({ kind: fc.constant('nest' as const), key: fc.constantFrom('a', 'b') }),
)
type Step =
  | (typeof registerSteps extends fc.Arbitrary<infer T> ? T : never)
  | (typeof otherSteps extends fc.Arbitrary<infer T> ? T : never)
const courses = <T extends Step>(
  step: fc.Arbitrary<T>,
): fc.Arbitrary<{ client: number; step: T }[]> =>
  fc.array(fc.record({ client: fc.integer({ min: 1, max: 3 }), step }), { maxLength: 20 })

/** The updates of a course, each alone, merged, and out of the document. */
function updatesOf(
  course: readonly { readonly client: number; readonly step: Step }[],
): Uint8Array[] {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (const { client, step } of course) {
    doc.clientID = client
    perform(doc, `f:${client}`, step)
  }
  return [...updates, Y.mergeUpdates(updates), Y.encodeStateAsUpdate(doc)]
}

function perform(doc: Y.Doc, root: string, step: Step): void {
  const array = doc.getArray<unknown>(root)
  switch (step.kind) {
    case 'append':
      array.push([step.value])
      break
    case 'delete':
      if (array.length > 0) array.delete(step.at % array.length)
      break
    case 'insert':
      array.insert(Math.min(step.at, array.length), [[step.value]])
      break
    case 'set':
      doc.getMap('map').set(step.key, [step.value])
      break
    case 'type': {
      const text = doc.getText('text')
      text.insert(Math.min(step.at, text.length), step.text)
      break
    }
    case 'nest':
      doc.getMap('map').set(step.key, new Y.Map([['inner', 1]]))
      break
  }
}

/** Where our reader reads something, Yjs reads the same. */
function agrees(update: Uint8Array): RegisterUpdate | undefined {
  const read = readRegisterUpdate(update)
  if (read !== undefined) expect(read).toEqual(readThroughYjs(update))
  return read
}

describe('the reader of registers', () => {
  test('reads what appending and deleting values makes, as Yjs does', () => {
    fc.assert(
      fc.property(courses(registerSteps), (course) => {
        for (const update of updatesOf(course)) expect(agrees(update)).toBeDefined()
      }),
      { seed: SEED, numRuns: 500 },
    )
  })

  test('reads anything else as Yjs does, or leaves it to Yjs', () => {
    fc.assert(
      fc.property(courses(fc.oneof(registerSteps, otherSteps)), (course) => {
        for (const update of updatesOf(course)) agrees(update)
      }),
      { seed: SEED, numRuns: 500 },
    )
  })

  test('leaves what is broken to Yjs, or reads it as Yjs does', () => {
    const damages = fc.array(fc.record({ at: fc.nat(500), byte: fc.nat(255) }), { maxLength: 3 })
    let read = 0
    fc.assert(
      fc.property(courses(registerSteps), damages, fc.nat(500), (course, damage, cut) => {
        for (const update of updatesOf(course)) {
          const broken = update.slice(0, cut > 250 ? update.length : cut)
          for (const { at, byte } of damage) broken[at % Math.max(1, broken.length)] = byte
          if (agrees(broken) !== undefined) read += 1
        }
      }),
      { seed: SEED, numRuns: 1_000 },
    )
    expect(read).toBeGreaterThan(100)
  })
})
