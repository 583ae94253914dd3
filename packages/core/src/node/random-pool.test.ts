import { expect, test } from 'vitest'
import { createRandomPool } from './random-pool.js'

/** A source whose bytes tell where they were drawn. */
function createSource(): (length: number) => Uint8Array {
  let next = 0
  return (length) => Uint8Array.from({ length }, () => next++ % 251)
}

test('hands out each byte that it draws at most once, in pieces of the length that is asked for', () => {
  const pool = createRandomPool(createSource())
  const seen: number[] = []
  for (let draw = 0; draw < 600; draw++) {
    const bytes = pool.bytes(16)
    expect(bytes).toHaveLength(16)
    seen.push(...bytes)
  }
  expect(seen).toEqual([...createSource()(seen.length)])
})

test('leaves what is too little for a piece aside', () => {
  const pool = createRandomPool(createSource())
  pool.bytes(4_095)
  expect([...pool.bytes(2)]).toEqual([4_096 % 251, 4_097 % 251])
})

test('draws what is longer than the pool at once', () => {
  expect(createRandomPool(createSource()).bytes(10_000)).toHaveLength(10_000)
})

test('is not changed by whoever writes into what they got', () => {
  const pool = createRandomPool(createSource())
  pool.bytes(16).fill(7)
  expect([...pool.bytes(2)]).toEqual([16, 17])
})
