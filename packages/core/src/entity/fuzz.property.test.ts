import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { isTidemarkError } from '../errors.js'
import {
  captureUpdate,
  compactUpdate,
  decodeContent,
  mergeUpdates,
  openDocument,
  renewDocument,
  viewOf,
  writeRegisters,
} from './index.js'

const SEED = 20261121

/** A document with fields, a text with formats, a list and XML, and some of it deleted. */
const document = (() => {
  const doc = openDocument([], 7)
  captureUpdate(doc, () => {
    const text = doc.getText('body')
    text.insert(0, 'Ebb and flow', { bold: true })
    text.delete(2, 3)
    text.insertEmbed(1, { image: 'tide.png' })
    doc.getArray('steps').insert(0, ['x', { deep: [1, null, true] }])
    const paragraph = new Y.XmlElement('p')
    paragraph.setAttribute('class', 'note')
    paragraph.insert(0, [new Y.XmlText('High water')])
    doc.getXmlFragment('page').insert(0, [paragraph])
  })
  const bytes = Y.encodeStateAsUpdate(doc)
  const registers = writeRegisters(decodeContent(bytes), 7, [
    {
      kind: 'set',
      field: 'title',
      value: 'Tides',
      lastModified: 1,
      sequence: 1,
      actor: 'ada/replica/7',
      supersedes: [],
    },
  ])
  return mergeUpdates([bytes, registers.update])
})()

const mutations = fc.array(
  fc.record({ at: fc.nat(document.length - 1), byte: fc.nat(255), drop: fc.nat(2) }),
  { maxLength: 4 },
)

/** Everything that reads foreign bytes: a result, or an error with a code, and nothing else. */
function outcomeOf(read: () => unknown): 'read' | 'refused' {
  try {
    read()
    return 'read'
  } catch (error) {
    if (!isTidemarkError(error)) throw error
    expect(error.code).toBe('corrupt')
    return 'refused'
  }
}

describe('[F11] [SEC-13] bytes that were truncated, flipped or made up', () => {
  const readers: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
    'as registers': decodeContent,
    'as values': (bytes) => viewOf(decodeContent(bytes)),
    'merged with sound ones': (bytes) => mergeUpdates([document, bytes]),
    'as a document': (bytes) => openDocument([document, bytes], 9),
    compacted: compactUpdate,
    renewed: (bytes) => renewDocument(bytes, 1),
  }
  test.for(Object.keys(readers))('are read or refused with a code: %s', (name) => {
    const read = readers[name]
    if (read === undefined) throw new Error(name)
    const counts = { read: 0, refused: 0 }
    const tried = fc.oneof(
      mutations.map((script) => {
        const bytes = [...document]
        for (const { at, byte, drop } of script) bytes.splice(at, drop, byte)
        return new Uint8Array(bytes)
      }),
      fc.nat(document.length).map((length) => document.slice(0, length)),
      fc.uint8Array({ maxLength: 60 }),
    )
    fc.assert(
      fc.property(tried, (bytes) => {
        counts[outcomeOf(() => read(bytes))] += 1
      }),
      { seed: SEED, numRuns: 3000 },
    )
    expect(Math.min(counts.read, counts.refused)).toBeGreaterThan(20)
    expect(viewOf(decodeContent(document)).values['title']).toBe('Tides')
  })
})
