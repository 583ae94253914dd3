import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { TidemarkError } from '../errors.js'
import {
  compactUpdate,
  decodeContent,
  mergeUpdates,
  type RegisterWrite,
  writeRegisters,
} from './index.js'
import { EMPTY_CONTENT } from './register-log.js'
import {
  ACTOR,
  buildUpdate,
  type ClientParts,
  element,
  type UpdateParts,
} from './update-builder.test-support.js'
import { type UpdateContext, type UpdateLimits, validateUpdate } from './validate.js'

const SEED = 20261120
const OWN = 35
const FOREIGN = 36

const set = (
  field: string,
  value: string,
  lastModified: number,
): Extract<RegisterWrite, { kind: 'set' }> => ({
  kind: 'set',
  field,
  value,
  lastModified,
  sequence: 1,
  actor: ACTOR,
  supersedes: [],
})

/** What the receiver has: two writers, some values, a tombstone. */
const base = (() => {
  const own = writeRegisters(EMPTY_CONTENT, OWN, [set('title', 'a', 1), set('done', 'b', 2)])
  const foreign = writeRegisters(own.content, FOREIGN, [
    { ...set('title', 'c', 3), supersedes: [{ lastModified: 1, actor: ACTOR }] },
  ])
  return { content: foreign.content, update: mergeUpdates([own.update, foreign.update]) }
})()

const CONTEXT: UpdateContext = {
  clock: (client) => base.content.clocks.get(client) ?? 0,
  tail: (client) => base.content.tails.get(client),
  ownsClient: (client) => client !== FOREIGN,
  ownsActor: (actor) => actor === ACTOR,
}
const LIMITS: UpdateLimits = { maxBytes: 4096, maxElements: 64, maxDeletions: 16 }

/** The next update of an honest writer. */
const honest = writeRegisters(base.content, OWN, [
  { ...set('title', 'ä new title', 4), supersedes: [{ lastModified: 3, actor: ACTOR }] },
  { ...set('tags:x', 'y', 5) },
]).update

/**
 * What becomes of an update: refused without an effect, or it passes and then fits into the receiver's document without
 * a rest.
 */
function outcomeOf(update: Uint8Array): 'passes' | 'update-invalid' | 'update-gap' {
  let elements: ReturnType<typeof validateUpdate>['elements']
  let clocks: ReadonlyMap<number, number>
  try {
    ;({ elements, clocks } = validateUpdate(update, CONTEXT, LIMITS))
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error
    if (error.code !== 'update-invalid' && error.code !== 'update-gap') throw error
    return error.code
  }
  const doc = new Y.Doc()
  Y.applyUpdate(doc, base.update)
  Y.applyUpdate(doc, update)
  expect(doc.store.pendingStructs).toBeNull()
  expect(doc.store.pendingDs).toBeNull()
  for (const [client, clock] of clocks) {
    expect(Y.getState(doc.store, client)).toBe(clock)
  }
  const merged = mergeUpdates([base.update, update])
  const live = decodeContent(merged).live.map(sorted).sort()
  // Whatever else stands in the document: only what was checked is ever read as a register.
  const checked = new Set([...base.content.live, ...elements].map(sorted))
  for (const register of live) expect(checked).toContain(register)
  const compacted = decodeContent(compactUpdate(merged)).live
  expect(compacted.map(sorted).sort()).toEqual(live)
  for (const { actor } of elements) expect(actor).toBe(ACTOR)
  return 'passes'
}

function sorted(value: unknown): string {
  const { field, lastModified, sequence, actor, value: content } = value as Record<string, unknown>
  return JSON.stringify([field, lastModified, sequence, actor, content ?? null])
}

interface Edit {
  readonly at: number
  readonly remove: number
  readonly insert: readonly number[]
}

const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.record({
    at: fc.nat(400),
    remove: fc.nat(2),
    insert: fc.array(
      fc.oneof(fc.constantFrom(0, 1, 8, 0x48, 0x80, 0x88, 117, 118, 127), fc.nat(255)),
      { maxLength: 2 },
    ),
  }),
  { minLength: 1, maxLength: 3 },
)

const value = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constant(undefined),
  fc.constant(Number.NaN),
  fc.uint8Array({ maxLength: 3 }),
)
const client = fc.constantFrom(OWN, FOREIGN, 1, 2)
const clock = fc.nat(4)

const struct = fc.record(
  {
    info: fc.constantFrom(0, 1, 4, 5, 6, 7, 8, 10, 0x28, 0x48, 0x84, 0x88, 0xc4, 0xc8),
    origin: fc.record({ client, clock }),
    root: fc.constantFrom('f:z', 'f:10', 'f:1', 'body'),
    values: fc.array(
      fc.oneof(
        { weight: 8, arbitrary: fc.record({ value }).map(element) },
        { weight: 1, arbitrary: value },
      ),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: ['values'] },
)

const clientParts: fc.Arbitrary<ClientParts> = fc.record({
  client,
  clock,
  structs: fc.array(struct, { maxLength: 3 }),
})

const updates: fc.Arbitrary<UpdateParts> = fc.record({
  clients: fc.array(clientParts, { maxLength: 2 }),
  deletions: fc.array(
    fc.record({
      client,
      ranges: fc.array(fc.tuple(clock, fc.nat(3)), { maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
})

describe('[F11] [F14] what the strict validator lets through', () => {
  test('never breaks a document and never waits in it: mutants of an honest update', () => {
    expect(outcomeOf(honest)).toBe('passes')
    const counts = { passes: 0, 'update-invalid': 0, 'update-gap': 0 }
    fc.assert(
      fc.property(edits, (script) => {
        const mutant = [...honest]
        for (const { at, remove, insert } of script)
          mutant.splice(at % (mutant.length + 1), remove, ...insert)
        counts[outcomeOf(new Uint8Array(mutant))] += 1
      }),
      { seed: SEED, numRuns: 10_000 },
    )
    // The property is worth something only if mutants go all three ways.
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(100)
  })

  test('never breaks a document and never waits in it: every byte replaced by every value', () => {
    const short = writeRegisters(base.content, OWN, [
      { ...set('done', 'x', 4), supersedes: [{ lastModified: 2, actor: ACTOR }] },
    ]).update
    let passed = 0
    for (let at = 0; at < short.length; at++) {
      for (const byte of [0, 1, 2, 8, 0x7f, 0x80, 0x88, 0xff, (short[at] as number) + 1]) {
        const mutant = short.slice()
        mutant[at] = byte
        if (outcomeOf(mutant) === 'passes') passed += 1
      }
    }
    expect(passed).toBeGreaterThan(20)
  })

  test('never breaks a document and never waits in it: updates with a plausible structure', () => {
    const counts = { passes: 0, 'update-invalid': 0, 'update-gap': 0 }
    fc.assert(
      fc.property(updates, (parts) => {
        counts[outcomeOf(buildUpdate(parts))] += 1
      }),
      { seed: SEED, numRuns: 5000 },
    )
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(100)
  })

  test('never breaks a document and never waits in it: random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        outcomeOf(bytes)
      }),
      { seed: SEED, numRuns: 3000 },
    )
  })
})
