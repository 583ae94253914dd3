import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { compactRegisters } from './compact-registers.js'
import { compactDocument, mergeUpdates } from './update.js'

const SEED = 20261121
const WRITERS = 3
/** An update that says nothing. */
const NOTHING = new Uint8Array([0, 0])

const rootOf = (client: number): string => `f:${client}`

const values = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constant(undefined),
  fc.double({ noNaN: true }),
  fc.maxSafeInteger(),
  fc.string({ unit: 'grapheme', maxLength: 90 }),
)
const writer = fc.nat(WRITERS - 1)
const registerSteps = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      writer,
      values: fc.array(values, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      writer,
      owner: writer,
      at: fc.nat(20),
      length: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('hear' as const), writer, from: writer }),
  },
)
const otherSteps = fc.oneof(
  fc.record({ kind: fc.constant('insert' as const), writer, at: fc.nat(20) }),
  fc.record({ kind: fc.constant('set' as const), writer }),
  fc.record({ kind: fc.constant('type' as const), writer, text: fc.string({ maxLength: 5 }) }),
  fc.record({ kind: fc.constant('nest' as const), writer }),
)
type Arbitrated<T> = T extends fc.Arbitrary<infer U> ? U : never
type Step = Arbitrated<typeof registerSteps> | Arbitrated<typeof otherSteps>

/** The updates of writers who know what they have heard of; each comes after everything that it builds on. */
function updatesOf(steps: readonly Step[]): Uint8Array[] {
  const updates: Uint8Array[] = []
  const docs = Array.from({ length: WRITERS }, (_, index) => {
    const doc = new Y.Doc()
    doc.clientID = 100 + index
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'heard') updates.push(update)
    })
    return doc
  })
  for (const step of steps) {
    const doc = docs[step.writer]
    if (doc !== undefined) perform(doc, docs, step)
  }
  return updates
}

function perform(doc: Y.Doc, docs: readonly Y.Doc[], step: Step): void {
  const own = doc.getArray<unknown>(rootOf(doc.clientID))
  switch (step.kind) {
    case 'append':
      own.push(step.values.map((value) => [value]))
      break
    case 'delete': {
      const array = doc.getArray(rootOf(100 + step.owner))
      const at = array.length === 0 ? 0 : step.at % array.length
      array.delete(at, Math.min(step.length, array.length - at))
      break
    }
    case 'hear': {
      const from = docs[step.from]
      if (from !== undefined) Y.applyUpdate(doc, Y.encodeStateAsUpdate(from), 'heard')
      break
    }
    case 'insert':
      own.insert(Math.min(step.at, own.length), [step.at])
      break
    case 'set':
      doc.getMap('map').set('a', 1)
      break
    case 'type':
      doc.getText('text').insert(0, step.text)
      break
    case 'nest':
      own.push([new Y.Map([['inner', 1]])])
      break
  }
}

const registers = fc
  .array(registerSteps, { maxLength: 40 })
  .map((steps) => [NOTHING, ...updatesOf(steps)])
const anything = fc
  .array(fc.oneof({ weight: 6, arbitrary: registerSteps }, otherSteps), { maxLength: 30 })
  .map(updatesOf)

function stateOf(updates: readonly Uint8Array[]): Uint8Array {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return Y.encodeStateAsUpdate(doc)
}

describe('[L17] compacting registers', () => {
  test('gives the bytes that a document gives', () => {
    fc.assert(
      fc.property(registers, (updates) => {
        expect(compactRegisters(updates, rootOf)).toEqual(compactDocument(mergeUpdates(updates)))
      }),
      { seed: SEED, numRuns: 1_000 },
    )
  })

  test('gives them also when each update is added to what was compacted, or comes again', () => {
    fc.assert(
      fc.property(registers, fc.array(fc.nat(40)), (updates, again) => {
        const course = updates.flatMap((update, index) => {
          const former = updates[again[index] ?? index]
          return former === undefined || (again[index] ?? 0) > index ? [update] : [update, former]
        })
        let compacted = compactRegisters([], rootOf)
        for (const update of course)
          compacted = compacted && compactRegisters([compacted, update], rootOf)
        expect(compacted).toEqual(compactDocument(mergeUpdates(updates)))
      }),
      { seed: SEED, numRuns: 500 },
    )
  })

  test('leaves everything as it was for later updates, and for documents that have some of it', () => {
    fc.assert(
      fc.property(registers, fc.nat(40), fc.nat(40), (updates, cut, known) => {
        const compacted = compactRegisters(updates.slice(0, cut), rootOf)
        if (compacted === undefined) throw new Error('it was left to a document')
        const later = [...updates.slice(0, Math.min(known, cut)), compacted, ...updates.slice(cut)]
        expect(stateOf(later)).toEqual(stateOf(updates))
      }),
      { seed: SEED, numRuns: 500 },
    )
  })

  test('gives what a document gives or nothing, of whatever updates, whether or not some are missing', () => {
    let given = 0
    let left = 0
    const some = fc.array(fc.boolean(), { minLength: 40, maxLength: 40 })
    fc.assert(
      fc.property(anything, fc.option(some), (updates, chosen) => {
        const present = updates.filter((_, index) => chosen?.[index] ?? true)
        if (present.length === 0) return
        const compacted = compactRegisters(present, rootOf)
        if (compacted === undefined) left += 1
        else {
          given += 1
          expect(compacted).toEqual(compactDocument(mergeUpdates(present)))
        }
      }),
      { seed: SEED, numRuns: 1_000 },
    )
    expect(Math.min(given, left)).toBeGreaterThan(100)
  })

  test('leaves items to a document that are gone although nobody deleted them', () => {
    const gone = new Uint8Array([1, 1, 7, 0, 1, 1, 3, ...new TextEncoder().encode('f:7'), 2, 0])
    expect(compactRegisters([gone], rootOf)).toBeUndefined()
    const deleted = new Uint8Array([...gone.slice(0, -1), 1, 7, 1, 0, 2])
    expect(compactRegisters([deleted], rootOf)).toEqual(compactDocument(deleted))
  })

  test('leaves what is broken to a document, or gives what it gives', () => {
    const damages = fc.array(fc.record({ at: fc.nat(500), byte: fc.nat(255) }), { maxLength: 2 })
    fc.assert(
      fc.property(registers, damages, (updates, damage) => {
        const broken = mergeUpdates(updates).slice()
        for (const { at, byte } of damage) broken[at % broken.length] = byte
        const compacted = compactRegisters([broken], rootOf)
        if (compacted !== undefined) expect(compacted).toEqual(compactDocument(broken))
      }),
      { seed: SEED, numRuns: 2_000 },
    )
  })
})
