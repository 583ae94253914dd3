import fc from 'fast-check'
import { expect, test } from 'vitest'
import { captureUpdate, type ItemRun, openDocument, takeBack } from './index.js'

const SEED = 20261121
const CLIENT = 7

const edits = fc.array(
  fc.array(
    fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      remove: fc.nat(3),
      insert: fc.string({ maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  { minLength: 1, maxLength: 6 },
)

test('[L25] taking back edits of a text and a list, the last one first, goes through all states again', () => {
  fc.assert(
    fc.property(edits, (script) => {
      const doc = openDocument([], CLIENT)
      const text = doc.getText('body')
      const list = doc.getArray('steps')
      const state = () => [text.toString(), list.toArray()]
      const updates: Uint8Array[] = []
      doc.on('update', (update: Uint8Array) => updates.push(update))
      const done = script.map((own) => {
        const before = { state: state(), updates: [...updates] }
        const edit = captureUpdate(doc, () => {
          for (const { at, remove, insert } of own) {
            for (const type of [text, list]) {
              const place = Math.round(at * type.length)
              type.delete(place, Math.min(remove, type.length - place))
            }
            text.insert(Math.round(at * text.length), insert)
            list.insert(Math.round(at * list.length), [...insert])
          }
        })
        return { edit, before }
      })
      const moves: ItemRun[] = []
      for (const { edit, before } of done.reverse()) {
        if (edit !== undefined) moves.push(...takeBack(doc, edit, before.updates, moves))
        expect(state()).toEqual(before.state)
      }
    }),
    { seed: SEED, numRuns: 500 },
  )
})
