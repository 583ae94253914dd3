import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeClientBindings, encodeClientBindings } from './client-bindings.js'

const name = fc.stringMatching(/^[a-z0-9_-]{4,8}$/)
const binding = fc.record({
  user: name,
  replica: name,
  clock: fc.nat(2 ** 31),
  tail: fc.option(fc.nat(2 ** 31)),
})

it('[L19] gives back every client id with its owner and its clock', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.nat(2 ** 32 - 1), binding), { selector: ([client]) => client }),
      (entries) => {
        const clients = new Map(entries)
        expect(decodeClientBindings(encodeClientBindings(clients))).toEqual(clients)
      },
    ),
  )
})

it('writes an owner once, however many client ids belong to it', () => {
  const owner = { user: 'somebody-with-a-long-name', replica: 'a-replica-with-a-long-name' }
  const clients = new Map(
    Array.from({ length: 100 }, (_, client) => [client, { ...owner, clock: 1, tail: 0 }] as const),
  )
  expect(encodeClientBindings(clients).length).toBeLessThan(500)
})
