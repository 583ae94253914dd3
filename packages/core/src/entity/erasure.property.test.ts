import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { compactUpdate } from './compaction.js'
import { eraseWriter } from './erasure.js'
import { decodeContent, EMPTY_CONTENT, type RegisterWrite, writeRegisters } from './register-log.js'
import { formatActor, userOf } from './stamp.js'
import { viewOf } from './view.js'
import { captureUpdate, loadsWhole, mergeUpdates, openDocument } from './yjs/index.js'

const SEED = 20_261_121
const [ADA, BOB] = [11, 22] as const
const context = {
  isClient: (client: number) => (client === ADA || client === BOB ? client === ADA : undefined),
  isActor: (actor: string) => userOf(actor) === 'ada',
  renewalClient: 1,
}

/** A document that two people have written by turns; each knows what the other did. */
function createBoth() {
  let updates: Uint8Array[] = []
  let time = 1_000_000
  const write = (client: number, field: string, value: string): void => {
    const content = updates.length === 0 ? EMPTY_CONTENT : decodeContent(mergeUpdates(updates))
    time += 1
    const user = client === ADA ? 'ada' : 'bob'
    const written: RegisterWrite = {
      kind: 'set',
      field,
      value,
      lastModified: time,
      sequence: 1,
      actor: formatActor({ user, replica: 'device', writer: client }),
      supersedes: content.live.filter((element) => element.field === field),
    }
    updates.push(writeRegisters(content, client, [written]).update)
  }
  const edit = (client: number, change: (doc: Y.Doc) => void): void => {
    const doc = openDocument(updates, client)
    const update = captureUpdate(doc, () => change(doc))
    if (update !== undefined) updates.push(update)
  }
  return {
    write,
    edit,
    bytes: () => mergeUpdates(updates),
    compact: () => {
      updates = [compactUpdate(mergeUpdates(updates))]
    },
  }
}

const step = fc.record({
  by: fc.constantFrom(ADA, BOB),
  kind: fc.constantFrom('write', 'insert', 'insert', 'remove', 'compact'),
  at: fc.nat(30),
  length: fc.integer({ min: 2, max: 5 }),
})

describe('what somebody wrote, taken out of a document', () => {
  it('is gone from the bytes; letters and fields of others are as they were', () => {
    let erased = 0
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        const both = createBoth()
        both.write(BOB, 'title', 'bobs')
        for (const { by, kind, at, length } of steps) {
          // Who wrote a letter shows in it.
          const letters = (by === ADA ? 'A' : 'b').repeat(length)
          if (kind === 'write') both.write(by, `field${at % 3}`, letters)
          if (kind === 'compact') both.compact()
          both.edit(by, (doc) => {
            const text = doc.getText('notes')
            if (kind === 'insert') text.insert(Math.min(at, text.length), letters)
            if (kind === 'remove' && text.length > 0)
              text.delete(at % text.length, Math.min(length, text.length - (at % text.length)))
          })
        }
        const before = viewOf(decodeContent(both.bytes()))
        const erasure = eraseWriter(both.bytes(), context)
        const isTouched = steps.some(
          ({ by, kind }) => by === ADA && (kind === 'write' || kind === 'insert'),
        )
        if (erasure.kind === 'untouched') {
          expect(isTouched).toBe(false)
          return
        }
        if (erasure.kind !== 'erased' && erasure.kind !== 'renewed') throw new Error(erasure.kind)
        erased += 1
        expect(loadsWhole(erasure.update)).toBe(true)
        const after = viewOf(decodeContent(erasure.update))
        const others = Object.entries(before.values).filter(
          ([, value]) => !String(value).includes('A'),
        )
        expect(after.values).toEqual(Object.fromEntries(others))
        const notes = String(before.shared?.['notes'] ?? '').replaceAll('A', '')
        expect(after.shared?.['notes'] ?? '').toBe(notes)
        // Strings stand in the bytes as they are; her letters come in runs, and "ada" is in every actor of hers.
        const raw = Buffer.from(erasure.update).toString('latin1')
        expect([/AA/.test(raw), raw.includes('ada/')]).toEqual([false, false])
      }),
      { seed: SEED, numRuns: 300 },
    )
    expect(erased).toBeGreaterThan(200)
  })

  it('keeps the items, so that what others were about to write next to them stands where it should', () => {
    fc.assert(
      fc.property(fc.nat(4), fc.string({ minLength: 1, maxLength: 3 }), (at, typed) => {
        const both = createBoth()
        both.edit(BOB, (doc) => doc.getText('notes').insert(0, '[]'))
        both.edit(ADA, (doc) => doc.getText('notes').insert(1, 'hers'))
        const late = openDocument([both.bytes()], 33)
        const update = captureUpdate(late, () => late.getText('notes').insert(1 + at, typed))
        const erasure = eraseWriter(both.bytes(), context)
        if (erasure.kind !== 'erased' || update === undefined) throw new Error(erasure.kind)
        const doc = openDocument([erasure.update, update], 0)
        expect(doc.getText('notes').toString()).toBe(`[${typed}]`)
      }),
      { seed: SEED, numRuns: 50 },
    )
  })
})

describe('taking out what somebody wrote', () => {
  it('empties a document in which there is nothing else', () => {
    const both = createBoth()
    both.write(ADA, 'title', 'hers')
    both.write(BOB, '$schema', '2')
    expect(eraseWriter(both.bytes(), context)).toEqual({ kind: 'empty' })
    both.edit(ADA, (doc) => doc.getText('notes').insert(0, 'hers'))
    expect(eraseWriter(both.bytes(), context)).toEqual({ kind: 'empty' })
    both.edit(BOB, (doc) => doc.getText('notes').insert(0, 'his'))
    expect(eraseWriter(both.bytes(), context)).toMatchObject({ kind: 'erased' })
  })

  it('keeps sums and tombstones, without a name', () => {
    const both = createBoth()
    both.write(BOB, 'title', 'his')
    both.write(ADA, '$deleted', 'yes')
    const inRegisters = eraseWriter(both.bytes(), context)
    both.edit(BOB, (doc) => doc.getText('notes').insert(0, 'his'))
    const inItems = eraseWriter(both.bytes(), context)
    for (const erasure of [inRegisters, inItems]) {
      if (!('update' in erasure)) throw new Error(erasure.kind)
      const { live } = decodeContent(erasure.update)
      expect(live.map(({ field, value, actor }) => [field, value, actor])).toEqual(
        expect.arrayContaining([
          ['$deleted', 'yes', 'nobody/erased/1'],
          ['title', 'his', 'bob/device/m'],
        ]),
      )
    }
  })

  it('takes elements with all that is in them, and attributes', () => {
    const both = createBoth()
    both.edit(BOB, (doc) => doc.getXmlFragment('body').insert(0, [new Y.XmlElement('p')]))
    both.edit(ADA, (doc) => {
      const element = new Y.XmlElement('q')
      element.insert(0, [new Y.XmlText('hers')])
      doc.getXmlFragment('body').insert(1, [element])
      const [paragraph] = doc.getXmlFragment('body').toArray()
      if (paragraph instanceof Y.XmlElement) paragraph.setAttribute('by', 'ada')
    })
    const erasure = eraseWriter(both.bytes(), context)
    if (erasure.kind !== 'erased') throw new Error(erasure.kind)
    expect(viewOf(decodeContent(erasure.update)).shared).toEqual({ body: '<p></p>' })
    expect(Buffer.from(erasure.update).includes('hers')).toBe(false)
  })

  it('is refused where something of others is inside, at any depth', () => {
    const both = createBoth()
    both.edit(ADA, (doc) => {
      const [outer, inner] = [new Y.XmlElement('outer'), new Y.XmlElement('inner')]
      inner.insert(0, [new Y.XmlText('a long text of hers')])
      outer.insert(0, [inner])
      doc.getXmlFragment('body').insert(0, [outer])
    })
    both.edit(BOB, (doc) => {
      const [outer] = doc.getXmlFragment('body').toArray()
      if (outer instanceof Y.XmlElement) outer.insert(1, [new Y.XmlText('his')])
    })
    expect(eraseWriter(both.bytes(), context)).toEqual({ kind: 'entangled', fields: ['body'] })
  })
})
