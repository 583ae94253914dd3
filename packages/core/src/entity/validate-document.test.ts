import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { TidemarkError } from '../errors.js'
import { compactUpdate } from './compaction.js'
import { decodeContent, registerRoot, writeRegisters } from './register-log.js'
import { validateDocument } from './validate-document.js'
import { applyUpdates, captureUpdate, loadsWhole, mergeUpdates, openDocument } from './yjs/index.js'

const SEED = 20261121
const LIMITS = { maxBytes: 1e6, maxElements: 1e5, maxDeletions: 1e5, maxClients: 100 }
/** Merged with others, so that there is always one. */
const EMPTY = Y.encodeStateAsUpdate(new Y.Doc())
const CLIENTS = [1, 35, 2 ** 32 - 1]

const validate = (document: Uint8Array): ReturnType<typeof validateDocument> =>
  validateDocument(document, (actor) => /^\w+\/\w+\/\w+$/.test(actor), LIMITS)

function codeOf(document: Uint8Array): string {
  try {
    validate(document)
    return 'passes'
  } catch (error) {
    if (error instanceof TidemarkError) return error.code
    throw error
  }
}

/** One step of several writers on one document: a register, or text that is typed or deleted somewhere. */
const steps = fc.array(
  fc.record({
    client: fc.constantFrom(...CLIENTS),
    kind: fc.constantFrom('register', 'type', 'delete'),
    field: fc.constantFrom('title', 'done', 'tags:a'),
    at: fc.nat(20),
    isSeen: fc.boolean(),
  }),
  { minLength: 1, maxLength: 30 },
)

type Steps = typeof steps extends fc.Arbitrary<infer T> ? T : never

/** What all of them write, each on top of what it has seen. */
function updatesOf(all: Steps): Uint8Array[] {
  const updates: Uint8Array[] = []
  const docs = new Map(CLIENTS.map((client) => [client, openDocument([], client)]))
  for (const [index, { client, kind, field, at, isSeen }] of all.entries()) {
    const doc = docs.get(client)
    if (doc === undefined) continue
    if (isSeen) applyUpdates(doc, updates, client)
    if (kind === 'register') {
      const update = write(doc, client, field, index + 1)
      applyUpdates(doc, [update], client)
      updates.push(update)
    } else {
      const text = doc.getText('notes')
      const update = captureUpdate(doc, () => {
        if (kind === 'type') text.insert(Math.min(at, text.length), 'ab')
        else if (text.length > 0) text.delete(Math.min(at, text.length - 1), 1)
      })
      if (update !== undefined) updates.push(update)
    }
  }
  return updates
}

function write(doc: Y.Doc, client: number, field: string, time: number): Uint8Array {
  const content = decodeContent(Y.encodeStateAsUpdate(doc))
  const actor = `ada/replica/${client.toString(36)}`
  const supersedes = content.live.filter((element) => element.field === field)
  const stamp = { lastModified: time, sequence: time, actor }
  return writeRegisters(content, client, [
    { kind: 'set', field, value: time, ...stamp, supersedes },
  ]).update
}

describe('a whole document', () => {
  test('that honest clients made passes, merged as well as compacted, and tells what is in it', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const merged = mergeUpdates([EMPTY, ...updatesOf(all)])
        for (const document of [merged, compactUpdate(merged)]) {
          const { clocks, tails } = validate(document)
          const content = decodeContent(document)
          expect(clocks).toEqual(content.clocks)
          expect(tails).toEqual(content.tails)
        }
      }),
      { seed: SEED, numRuns: 200 },
    )
  })

  test('[L20] that misses something is refused as having a gap', () => {
    let gaps = 0
    fc.assert(
      fc.property(steps, fc.nat(), (all, at) => {
        const updates = updatesOf(all)
        updates.splice(at % Math.max(updates.length, 1), 1)
        const merged = mergeUpdates([EMPTY, ...updates])
        const code = codeOf(merged)
        expect(['passes', 'update-gap']).toContain(code)
        expect(code === 'passes').toBe(loadsWhole(merged))
        if (code === 'update-gap') gaps += 1
      }),
      { seed: SEED, numRuns: 200 },
    )
    expect(gaps).toBeGreaterThan(20)
  })

  test('[SEC-2] with flipped bits passes only when it loads whole, and never throws anything else', () => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.integer({ min: 1, max: 255 }), (all, at, flip) => {
        const document = mergeUpdates([EMPTY, ...updatesOf(all)]).slice()
        document[at % document.length] = (document[at % document.length] ?? 0) ^ flip
        const code = codeOf(document)
        expect(['passes', 'update-gap', 'update-invalid']).toContain(code)
        if (code === 'passes') expect(loadsWhole(document)).toBe(true)
      }),
      { seed: SEED, numRuns: 1000 },
    )
  })

  test('[SEC-4] with registers of one client id in the array of another is none', () => {
    const doc = openDocument([], 35)
    doc.getArray(registerRoot(1)).insert(0, [['title', 'forged', 1, 1, 'ada/replica/1']])
    expect(codeOf(Y.encodeStateAsUpdate(doc))).toBe('update-invalid')
  })

  test('with a write that nobody signed is none', () => {
    const doc = openDocument([], 35)
    doc.getArray(registerRoot(35)).insert(0, [['title', 'forged', 1, 1, 'ada']])
    expect(codeOf(Y.encodeStateAsUpdate(doc))).toBe('update-invalid')
  })
})
