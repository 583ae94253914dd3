import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { operationDigest, sameBytes } from './digest.js'
import { CLOSE_CODES, isPermanentClose } from './messages.js'

const sha256 = (...frames: readonly (readonly number[])[]): number[] => [
  ...createHash('sha256').update(Uint8Array.from(frames.flat())).digest().subarray(0, 8),
]

describe('[L10] the digest of an operation', () => {
  const first = { sequence: 1, lastModified: 200, update: new Uint8Array([1, 2, 3]) }
  const second = { sequence: 2, lastModified: 3, update: new Uint8Array([4, 5]) }
  const firstBytes = [1, 0xc8, 1, 3, 1, 2, 3]
  const secondBytes = [2, 3, 2, 4, 5]

  test('is the first 8 bytes of SHA-256 over versions and updates in the order of the parts', () => {
    expect([...operationDigest([])]).toEqual(sha256())
    expect([...operationDigest([first])]).toEqual(sha256(firstBytes))
    expect([...operationDigest([first, second])]).toEqual(sha256(firstBytes, secondBytes))
  })

  test('tells other bytes, another order and another version apart', () => {
    const digest = operationDigest([first, second])
    for (const other of [
      [second, first],
      [first],
      [first, { ...second, update: new Uint8Array([4, 6]) }],
      [first, { ...second, sequence: 3 }],
      [first, { ...second, lastModified: 4 }],
    ]) {
      expect(sameBytes(operationDigest(other), digest)).toBe(false)
    }
  })

  test('compares bytes by what they are, not by how they start', () => {
    expect(sameBytes(new Uint8Array([1, 2]), new Uint8Array([1, 2]))).toBe(true)
    expect(sameBytes(new Uint8Array([1]), new Uint8Array([1, 2]))).toBe(false)
    expect(sameBytes(new Uint8Array([1, 3]), new Uint8Array([1, 2]))).toBe(false)
    expect(sameBytes(new Uint8Array(), new Uint8Array())).toBe(true)
  })
})

test('close codes are tried again, but for those that need a person or a new version', () => {
  const permanent = Object.entries(CLOSE_CODES).filter(([, code]) => isPermanentClose(code))
  expect(permanent.map(([name]) => name).sort()).toEqual([
    'forbidden',
    'incompatible',
    'protocolViolation',
    'unauthorized',
  ])
  for (const code of [1000, 1001, 1006, 1011, 4399, 4500])
    expect(isPermanentClose(code)).toBe(false)
})
