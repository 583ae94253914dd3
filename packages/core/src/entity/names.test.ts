import { describe, expect, test } from 'vitest'
import {
  COLLECTION_NAME,
  ENTITY_ID,
  isFieldName,
  isRegisterKey,
  SPACE_NAME,
  USER_ID,
} from './names.js'

const TRAPS = ['__proto__', 'constructor', 'prototype']

describe.for<[string, (name: string) => boolean, number, readonly string[], readonly string[]]>([
  [
    'a user id',
    (name) => USER_ID.test(name),
    128,
    ['a', 'Z', '0', 'ada@example.org', 'a._:@+-9Z'],
    ['', '.a', '@a', 'a/b', 'a b', 'ä', 'a\n', ' a', 'a#'],
  ],
  [
    'a space name',
    (name) => SPACE_NAME.test(name),
    128,
    ['a', 'Z', '0', 'a._:-9Z'],
    ['', '-a', ':a', 'a@b', 'a+b', 'a/b', 'a b', 'a\n', '/a'],
  ],
  [
    'a collection name',
    (name) => COLLECTION_NAME.test(name),
    64,
    ['a', 'Z', 'cards_2', 'aZ'],
    ['', '2cards', '_a', 'a-b', 'a/b', 'a:b', 'a\n', ' a'],
  ],
  [
    'an entity id',
    (name) => ENTITY_ID.test(name),
    128,
    ['a', 'Z', '0', 'a._:@-9Z'],
    ['', '.a', '-a', 'a+b', 'a/b', 'a b', 'a\n', '/a'],
  ],
  [
    'a field name',
    isFieldName,
    64,
    ['a', 'Z', 'dueDate_2', 'toString'],
    ['', '2a', '_a', '$deleted', 'a:b', 'a.b', 'a\n', ' a', ...TRAPS],
  ],
])('%s', ([, accepts, longest, good, bad]) => {
  test.for([...good])('may be %j', (name) => {
    expect(accepts(name)).toBe(true)
  })

  test.for([...bad])('may not be %j', (name) => {
    expect(accepts(name)).toBe(false)
  })

  test(`may have ${longest} characters`, () => {
    expect(accepts('a'.repeat(longest))).toBe(true)
    expect(accepts('a'.repeat(longest + 1))).toBe(false)
  })
})

describe('a register key', () => {
  test.for([
    'title',
    'T',
    '$deleted',
    '$schema',
    'tags:',
    'tags:a b\n:ä',
    `tags:${'x'.repeat(512)}`,
    `${'a'.repeat(64)}:x`,
  ])('may be %j', (key) => {
    expect(isRegisterKey(key)).toBe(true)
  })

  test.for([
    '',
    ':a',
    '2a',
    '_a',
    '$',
    '$other',
    '$deleted:a',
    '$deletedx',
    'x$deleted',
    'a.b',
    'a\n',
    'a'.repeat(65),
    `tags:${'x'.repeat(513)}`,
    ...TRAPS,
  ])('may not be %j', (key) => {
    expect(isRegisterKey(key)).toBe(false)
  })
})
