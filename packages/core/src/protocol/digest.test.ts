import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { operationDigest, sameBytes } from './digest.js'
import { CLOSE_CODES, isPermanentClose } from './messages.js'

const sha256 = (...updates: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(createHash('sha256').update(Buffer.concat(updates)).digest().subarray(0, 8))

describe('[L10] the digest of an operation', () => {
  const first = new Uint8Array([1, 2, 3])
  const second = new Uint8Array([4, 5])

  test('is the first 8 bytes of SHA-256 over the updates in the order of the parts', () => {
    for (const updates of [[first], [first, second], []]) {
      const digest = operationDigest(updates.map((update) => ({ update })))
      expect([...digest]).toEqual([...sha256(...updates)])
    }
  })

  test('tells other bytes and another order apart', () => {
    const digest = operationDigest([{ update: first }, { update: second }])
    for (const other of [
      [{ update: second }, { update: first }],
      [{ update: first }],
      [{ update: first }, { update: new Uint8Array([4, 6]) }],
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
