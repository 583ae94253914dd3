import { describe, expect, test } from 'vitest'
import { uuidOf } from './uuid.js'

describe('a UUID of version 7', () => {
  test('is the one that RFC 9562 gives as its example (A.6)', () => {
    const random = new Uint8Array([
      0, 0, 0, 0, 0, 0, 0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f,
    ])
    expect(uuidOf(0x017f22e279b0, random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f')
  })

  test('has the version and the variant whatever is drawn, and the time to its last millisecond', () => {
    const drawn = (byte: number): Uint8Array => new Uint8Array(16).fill(byte)
    expect(uuidOf(2 ** 48 - 1, drawn(0xff))).toBe('ffffffff-ffff-7fff-bfff-ffffffffffff')
    expect(uuidOf(0.5, drawn(0))).toBe('00000000-0000-7000-8000-000000000000')
  })
})
