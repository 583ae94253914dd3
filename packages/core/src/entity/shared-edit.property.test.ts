import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { isTidemarkError } from '../errors.js'
import { compactUpdate } from './compaction.js'
import { decodeContent, EMPTY_CONTENT, writeRegisters } from './register-log.js'
import { isDeletedDocument, readSharedEdit } from './shared-edit.js'

const LIMITS = { maxBytes: 2 ** 20, maxElements: 16_384, maxDeletions: 16_384, maxClients: 1_024 }

/** What people do to documents that they hand to each other as files. */
const step = fc.record({
  who: fc.nat(3),
  kind: fc.constantFrom('type', 'erase', 'format', 'list', 'xml', 'exchange', 'load'),
  at: fc.nat(1_000),
  text: fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme' }),
})

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

function perform(docs: Y.Doc[], { who, kind, at, text }: Step): void {
  const doc = docs[who] ?? new Y.Doc()
  const body = doc.getText('body')
  const place = at % (body.length + 1)
  const length = Math.min(body.length - place, 1 + (at % 5))
  switch (kind) {
    case 'type':
      body.insert(place, text)
      return
    case 'erase':
      if (length > 0) body.delete(place, length)
      return
    case 'format':
      if (length > 0) body.format(place, length, { bold: at % 2 === 0 || null })
      return
    case 'list': {
      const steps = doc.getArray('steps')
      if (at % 3 === 0 && steps.length > 0) steps.delete(at % steps.length, 1)
      else steps.insert(at % (steps.length + 1), [text, at, { text }])
      return
    }
    case 'xml': {
      const page = doc.getXmlFragment('page')
      if (at % 3 === 0 && page.length > 0) {
        page.delete(at % page.length, 1)
        return
      }
      const element = new Y.XmlElement('p')
      page.insert(at % (page.length + 1), [element])
      element.setAttribute('level', text)
      element.insert(0, [new Y.XmlText(text)])
      return
    }
    case 'exchange':
      Y.applyUpdate(docs[at % docs.length] ?? doc, Y.encodeStateAsUpdate(doc))
      return
    case 'load': {
      const loaded = new Y.Doc()
      Y.applyUpdate(loaded, Y.encodeStateAsUpdate(doc))
      docs[who] = loaded
    }
  }
}

describe('what a stock client offers', () => {
  test('[L24] [F14] is reduced to what is new, and gives the document that it would give as a whole', () => {
    let reduced = 0
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const docs = Array.from({ length: 4 }, () => new Y.Doc())
        const relay = new Y.Doc({ guid: '' })
        for (const next of steps) {
          perform(docs, next)
          const offered = Y.encodeStateAsUpdate(docs[next.who] ?? relay)
          const edit = readSharedEdit(relay, offered, LIMITS)
          if (edit === undefined) continue
          if (edit.update.length < offered.length) reduced += 1
          const whole = new Y.Doc()
          Y.applyUpdate(whole, Y.encodeStateAsUpdate(relay))
          Y.applyUpdate(whole, offered)
          Y.applyUpdate(relay, edit.update)
          expect(Y.encodeStateVector(relay)).toEqual(Y.encodeStateVector(whole))
          expect(compactUpdate(Y.encodeStateAsUpdate(relay))).toEqual(
            compactUpdate(Y.encodeStateAsUpdate(whole)),
          )
          expect(relay.store.pendingStructs ?? relay.store.pendingDs).toBe(null)
          expect(readSharedEdit(relay, offered, LIMITS)).toBe(undefined)
        }
      }),
      { numRuns: 150, seed: 24 },
    )
    expect(reduced).toBeGreaterThan(100)
  })

  test('[S2] [F11] is refused or harmless, whatever is done to its bytes', () => {
    let taken = 0
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 4, maxLength: 20 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        (steps, flips) => {
          const docs = [new Y.Doc(), new Y.Doc()]
          for (const next of steps) perform(docs, { ...next, who: next.who % 2 })
          const bytes = Y.encodeStateAsUpdate(docs[0] ?? new Y.Doc()).slice()
          for (const [at, byte] of flips) bytes[at % bytes.length] = byte
          const relay = new Y.Doc()
          Y.applyUpdate(relay, Y.encodeStateAsUpdate(docs[1] ?? relay))
          const before = Y.encodeStateAsUpdate(relay)
          let edit: ReturnType<typeof readSharedEdit>
          try {
            edit = readSharedEdit(relay, bytes, LIMITS)
          } catch (error) {
            expect(isTidemarkError(error)).toBe(true)
          }
          expect(Y.encodeStateAsUpdate(relay)).toEqual(before)
          if (edit === undefined) return
          taken += 1
          Y.applyUpdate(relay, edit.update)
          expect(relay.store.pendingStructs ?? relay.store.pendingDs).toBe(null)
          Y.applyUpdate(new Y.Doc(), Y.encodeStateAsUpdate(relay))
        },
      ),
      { numRuns: 2_000, seed: 24 },
    )
    expect(taken).toBeGreaterThan(20)
  })
})

test('a document says whether it is that of a deleted entity, by the later write', () => {
  const doc = new Y.Doc()
  expect(isDeletedDocument(doc)).toBe(false)
  const write = (client: number, value: number | null, lastModified: number) =>
    writeRegisters(EMPTY_CONTENT, client, [
      {
        kind: 'set',
        field: '$deleted',
        value,
        lastModified,
        sequence: 1,
        actor: 'a/b/c',
        supersedes: [],
      },
    ]).update
  Y.applyUpdate(doc, write(2, 5, 10))
  expect(isDeletedDocument(doc)).toBe(true)
  Y.applyUpdate(doc, write(3, null, 11))
  expect(isDeletedDocument(doc)).toBe(false)
  expect(decodeContent(Y.encodeStateAsUpdate(doc)).live).toHaveLength(2)
})
