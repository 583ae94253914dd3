import { expect, test } from 'vitest'
import { canBeOrdered, type UpdateItem } from './order.js'

/** An item `client:clock` with what it refers to, such as `['1:0', '2:4']`. */
function items(...all: readonly (readonly [string, ...string[]])[]): UpdateItem[] {
  const idOf = (text: string) => {
    const [client = 0, clock = 0] = text.split(':').map(Number)
    return { client, clock }
  }
  return all.map(([id, ...refersTo]) => ({ ...idOf(id), refersTo: refersTo.map(idOf) }))
}

const nothing = (): number => 0

test.each([
  ['of one client id', items(['1:0'], ['1:1', '1:0'])],
  ['that refer to what comes later', items(['9:0', '1:0'], ['1:0'])],
  ['that go there and back', items(['2:0'], ['2:1', '1:0'], ['1:0', '2:0'], ['1:1', '2:1'])],
  ['in a long chain', items(['3:0', '2:0'], ['2:0', '1:0'], ['1:0'])],
])('items %s can be ordered', (_name, all) => {
  expect(canBeOrdered(all, nothing)).toBe(true)
})

test.each([
  ['each other', items(['2:0', '1:0'], ['1:0', '2:0'])],
  ['what follows them', items(['2:0', '1:5'], ['1:0'], ['1:5', '2:1'], ['2:1'])],
  ['each other in a circle', items(['3:0', '2:0'], ['2:0', '1:0'], ['1:0', '3:0'])],
])('items that wait for %s can not', (_name, all) => {
  expect(canBeOrdered(all, nothing)).toBe(false)
})

test('what the document has holds nobody up', () => {
  const all = items(['2:0', '1:0'], ['1:0', '2:0'])
  expect(canBeOrdered(all, (client) => (client === 1 ? 1 : 0))).toBe(true)
})
