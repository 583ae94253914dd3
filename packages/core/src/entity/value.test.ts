import { describe, expect, test } from 'vitest'
import { frozen, type StorableValue, sameValue } from './value.js'

describe('two values are the same', () => {
  test.for<[StorableValue, StorableValue]>([
    [undefined, undefined],
    [null, null],
    ['a', 'a'],
    [0, 0],
    [[], []],
    [{}, {}],
    [
      [1, [2]],
      [1, [2]],
    ],
    [
      { a: 1, b: [{ c: null }] },
      { b: [{ c: null }], a: 1 },
    ],
  ])('%j and %j', ([a, b]) => {
    expect(sameValue(a, b)).toBe(true)
    expect(sameValue(b, a)).toBe(true)
  })
})

describe('two values are not the same', () => {
  test.for<[StorableValue, StorableValue]>([
    [undefined, null],
    [null, {}],
    [null, []],
    [0, false],
    [1, '1'],
    ['a', 'b'],
    ['', []],
    ['', {}],
    ['a', ['a']],
    [{}, []],
    [{ 0: 'a' }, ['a']],
    [{ length: 0 }, []],
    [[1], [2]],
    [[1], [1, 2]],
    [
      [1, 2],
      [1, 3],
    ],
    [{ a: 1 }, {}],
    [{ a: 1 }, { a: 2 }],
    [
      { a: 1, b: 2 },
      { a: 1, b: 3 },
    ],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: undefined }, { b: undefined }],
    [{ toString: undefined }, { valueOf: undefined }],
    [{ a: { b: [1] } }, { a: { b: [2] } }],
  ])('%j and %j', ([a, b]) => {
    expect(sameValue(a, b)).toBe(false)
    expect(sameValue(b, a)).toBe(false)
  })
})

describe('a frozen value', () => {
  test('is the same one, frozen all the way down', () => {
    const inner = { c: [1] }
    const value = { a: null, b: [inner] }
    expect(frozen(value)).toBe(value)
    for (const part of [value, value.b, inner, inner.c]) expect(Object.isFrozen(part)).toBe(true)
  })

  test('is taken at its word when it is frozen already', () => {
    const inner = { a: 1 }
    frozen(Object.freeze([inner]))
    expect(Object.isFrozen(inner)).toBe(false)
  })

  test.for<[StorableValue]>([[undefined], [null], ['abc'], [1], [true]])('may be %j', ([value]) => {
    expect(frozen(value)).toBe(value)
  })
})
