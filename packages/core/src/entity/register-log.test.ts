import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import {
  counterKey,
  decodeContent,
  EMPTY_CONTENT,
  type EntityContent,
  type RegisterWrite,
  removalsAfter,
  skipItems,
  supersededBy,
  writeRegisters,
} from './register-log.js'
import type { Stamp } from './stamp.js'
import { buildUpdate, element } from './update-builder.test-support.js'
import { mergeUpdates } from './yjs/index.js'

const ACTOR = 'ada/replica/1'
const OWN = 7
const OTHER = 36

const stamp = (lastModified: number): Stamp => ({ lastModified, actor: ACTOR })

const set = (
  field: string,
  lastModified: number,
  supersedes: readonly Stamp[] = [],
): RegisterWrite => ({
  kind: 'set',
  field,
  value: `at ${lastModified}`,
  sequence: 1,
  ...stamp(lastModified),
  supersedes,
})

const increment = (field: string, by: number, lastModified: number): RegisterWrite => ({
  kind: 'increment',
  field,
  by,
  sequence: 1,
  ...stamp(lastModified),
})

const remove = (field: string, supersedes: readonly Stamp[]): RegisterWrite => ({
  kind: 'remove',
  field,
  supersedes,
})

const liveOf = ({ live }: EntityContent) => live.map(({ field, value }) => [field, value])

/** What an update deletes, as `client:clock`, ascending. */
function deletedBy(update: Uint8Array): string[] {
  return [...Y.decodeUpdate(update).ds.clients]
    .flatMap(([client, ranges]) =>
      ranges.flatMap(({ clock, len }) =>
        Array.from({ length: len }, (_, offset) => `${client}:${clock + offset}`),
      ),
    )
    .sort()
}

describe('a counter', () => {
  test('[L5] adds to what its own client id has counted, in a register of its own', () => {
    const first = writeRegisters(EMPTY_CONTENT, OTHER, [increment('likes', 2, 1)])
    expect(first.content.live).toEqual([
      {
        field: 'likes:10',
        value: 2,
        sequence: 1,
        ...stamp(1),
        client: OTHER,
        clock: 0,
      },
    ])
    const second = writeRegisters(first.content, OTHER, [increment('likes', 3, 2)])
    expect(liveOf(second.content)).toEqual([['likes:10', 5]])
    expect(decodeContent(mergeUpdates([first.update, second.update])).live).toEqual(
      second.content.live,
    )
    expect(counterKey('likes', OTHER)).toBe('likes:10')
  })

  test('[L5] leaves alone what others have counted, and every other field', () => {
    const before = [
      writeRegisters(EMPTY_CONTENT, OTHER, [increment('likes', 2, 1)]).update,
      writeRegisters(EMPTY_CONTENT, 9, [set('likes', 2), set('title', 3)]).update,
    ]
    const content = decodeContent(mergeUpdates(before))
    const written = writeRegisters(content, OWN, [increment('likes', -1, 4)])
    expect(deletedBy(written.update)).toEqual([])
    expect(liveOf(written.content).sort()).toEqual([
      ['likes', 'at 2'],
      ['likes:10', 2],
      ['likes:7', -1],
      ['title', 'at 3'],
    ])
  })

  test('can be written together with other fields', () => {
    const before = writeRegisters(EMPTY_CONTENT, OWN, [set('title', 1), increment('likes', 1, 2)])
    const after = writeRegisters(before.content, OWN, [
      set('title', 3, [stamp(1)]),
      increment('likes', 1, 4),
    ])
    expect(liveOf(after.content)).toEqual([
      ['title', 'at 3'],
      ['likes:7', 2],
    ])
  })

  test('starts from nothing where its register holds no number', () => {
    const broken = { ...set('likes:7', 1), value: 'many' }
    const { content } = writeRegisters(EMPTY_CONTENT, OTHER, [broken])
    expect(liveOf(writeRegisters(content, OWN, [increment('likes', 2, 2)]).content)).toEqual([
      ['likes:7', 2],
    ])
  })

  test('is not what a field is set to: that leaves what was counted', () => {
    const { content } = writeRegisters(EMPTY_CONTENT, OWN, [increment('likes', 2, 1)])
    expect(liveOf(writeRegisters(content, OWN, [set('likes', 2)]).content)).toEqual([
      ['likes:7', 2],
      ['likes', 'at 2'],
    ])
  })

  test('supersedes nothing that has a stamp', () => {
    expect(supersededBy(increment('likes', 1, 1))).toEqual([])
    expect(supersededBy(set('title', 2, [stamp(1)]))).toEqual([stamp(1)])
  })
})

describe('what is read out of bytes', () => {
  test('leaves out what is no element', () => {
    const values = ['Hello', element({ field: 'title' }), null]
    const update = buildUpdate({ clients: [{ client: OWN, clock: 0, structs: [{ values }] }] })
    const { live, overwritten } = decodeContent(update)
    expect(live.map(({ field, clock }) => [field, clock])).toEqual([['title', 1]])
    expect(overwritten).toBeUndefined()
  })

  test('[L2] tells what was overwritten apart from what is live', () => {
    const values = ['a', 'b', 'c'].map((field) => element({ field }))
    const update = buildUpdate({
      clients: [{ client: OWN, clock: 0, structs: [{ values }] }],
      deletions: [{ client: OWN, ranges: [[1, 2]] }],
    })
    const { live, overwritten } = decodeContent(update)
    expect(live.map(({ field }) => field)).toEqual(['a'])
    expect(
      overwritten?.elements().map(({ field, client, clock }) => [field, { client, clock }]),
    ).toEqual([
      ['b', { client: OWN, clock: 1 }],
      ['c', { client: OWN, clock: 2 }],
    ])
    expect(overwritten?.elements()).toBe(overwritten?.elements())
  })
})

describe('a write', () => {
  test('[L2] deletes again what it has overwritten, although another write did so before', () => {
    const base = writeRegisters(EMPTY_CONTENT, OWN, [set('title', 1), set('done', 2)])
    const first = writeRegisters(base.content, OWN, [set('title', 3, [stamp(1)])])
    const second = set('title', 4, [stamp(3), stamp(1)])
    const fromMemory = writeRegisters(first.content, OTHER, [second])
    const fromBytes = writeRegisters(
      decodeContent(mergeUpdates([base.update, first.update])),
      OTHER,
      [second],
    )
    expect(deletedBy(fromMemory.update)).toEqual(['7:0', '7:2'])
    expect(fromBytes.update).toEqual(fromMemory.update)
    // Two writes back as well, also beside a write of another field.
    const third = writeRegisters(fromMemory.content, OTHER, [
      set('done', 5, [stamp(2)]),
      set('title', 6, [stamp(4), stamp(3), stamp(1)]),
    ])
    expect(deletedBy(third.update)).toEqual(['36:0', '7:0', '7:1', '7:2'])
  })

  test('[L2] leaves alone what was overwritten without it', () => {
    const base = writeRegisters(EMPTY_CONTENT, OWN, [set('title', 1), set('done', 2)])
    const first = writeRegisters(base.content, OWN, [remove('title', [stamp(1)])])
    const second = writeRegisters(first.content, OWN, [remove('done', [stamp(2), stamp(99)])])
    expect(deletedBy(second.update)).toEqual(['7:1'])
  })

  test('names the field as well: a stamp alone is no element', () => {
    const { content } = writeRegisters(EMPTY_CONTENT, OWN, [set('title', 1), set('done', 1)])
    const written = writeRegisters(content, OWN, [remove('done', [stamp(1)])])
    expect(liveOf(written.content)).toEqual([['title', 'at 1']])
  })

  test('looks for what was overwritten only while something is missing', () => {
    const { content } = writeRegisters(EMPTY_CONTENT, OWN, [set('title', 1), set('done', 2)])
    const unread = {
      elements: () => {
        throw new Error('read for nothing')
      },
      before: undefined,
    }
    const standing: EntityContent = { ...content, overwritten: unread }
    const write = remove('title', [stamp(1)])
    const { content: after } = writeRegisters(standing, OWN, [write])
    expect(after.overwritten?.before).toBe(unread)
    expect(deletedBy(writeRegisters(after, OWN, [write]).update)).toEqual(['7:0'])
    expect(() => writeRegisters(after, OWN, [remove('title', [stamp(9)])])).toThrow('for nothing')
  })

  test('that overwrites nothing leaves what was overwritten as it was', () => {
    const first = writeRegisters(EMPTY_CONTENT, OWN, [set('title', 1)]).content
    expect(first.overwritten).toBeUndefined()
    const second = writeRegisters(first, OWN, [set('title', 2, [stamp(1)])]).content
    expect(second.overwritten?.elements().map(({ clock }) => clock)).toEqual([0])
    const third = writeRegisters(second, OWN, [set('done', 3)]).content
    expect(third.overwritten).toBe(second.overwritten)
  })
})

describe('what stands removed', () => {
  const removed = removalsAfter(new Map(), [remove('title', [stamp(1)])])

  test('[L2] is what removals have seen, by field', () => {
    expect(removed).toEqual(new Map([['title', [stamp(1)]]]))
    const more = removalsAfter(removed, [
      remove('title', [stamp(2), stamp(1)]),
      remove('done', [stamp(3)]),
    ])
    expect(more.get('title')).toEqual([stamp(2), stamp(1)])
    expect(more.get('done')).toEqual([stamp(3)])
  })

  test('[L2] is what no later write of the field has taken over', () => {
    const two = removalsAfter(removed, [remove('title', [stamp(2)])])
    expect(removalsAfter(two, [set('title', 3, [stamp(2)])]).get('title')).toEqual([stamp(1)])
    expect(removalsAfter(two, [set('title', 3, [stamp(2), stamp(1)])]).get('title')).toEqual([])
  })

  test('stays the same through writes that take nothing over', () => {
    expect(removalsAfter(removed, [set('done', 3), increment('likes', 1, 4)])).toBe(removed)
    expect(removalsAfter(removed, [increment('title', 1, 4)])).toBe(removed)
    expect(removed.get('title')).toEqual([stamp(1)])
  })
})

test('items that are no registers move the clock on, and nothing else', () => {
  const { content } = writeRegisters(EMPTY_CONTENT, OWN, [set('title', 1)])
  expect(skipItems(content, OWN, 0)).toBe(content)
  const later = skipItems(content, OWN, 3)
  expect(later).toEqual({ ...content, clocks: new Map([[OWN, 4]]) })
  expect(skipItems(later, OTHER, 2).clocks.get(OTHER)).toBe(2)
})
