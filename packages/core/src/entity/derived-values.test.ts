import { describe, expect, test } from 'vitest'
import { decodeContent, EMPTY_CONTENT, writeRegisters } from './register-log.js'
import { schemaVersionOf, viewOf } from './view.js'
import { mergeUpdates } from './yjs/index.js'

/** Values of one field that were written in ignorance of each other, the later one last. */
function rivals(
  field: string,
  ...writes: readonly (readonly [value: unknown, sequence: number])[]
) {
  const updates = writes.map(
    ([value, sequence], index) =>
      writeRegisters(EMPTY_CONTENT, index + 1, [
        {
          kind: 'set',
          field,
          value: value as string,
          lastModified: index + 1,
          sequence,
          actor: `user${index}/r/1`,
          supersedes: [],
        },
      ]).update,
  )
  return viewOf(decodeContent(mergeUpdates(updates)))
}

describe('a value that a migration wrote', () => {
  test('[SCH-3] gives way to one that somebody wrote, and is no rival of it', () => {
    for (const writes of [
      [
        ['written', 1],
        ['derived', 0],
      ],
      [
        ['derived', 0],
        ['written', 1],
      ],
    ] as const) {
      const view = rivals('title', ...writes)
      expect(view.values).toEqual({ title: 'written' })
      expect(view.conflicts).toBeUndefined()
    }
  })

  test('[L3] is the rival of another migration that gave something else', () => {
    const view = rivals('title', ['one', 0], ['two', 0])
    expect(view.values).toEqual({ title: 'two' })
    expect(view.conflicts?.['title']?.map(({ value }) => value)).toEqual(['two', 'one'])
    expect(rivals('title', ['one', 0], ['one', 0]).conflicts).toBeUndefined()
  })
})

describe('the version of the schema', () => {
  test('is the newest that anybody wrote, and 1 where nobody wrote one', () => {
    expect(schemaVersionOf(viewOf(EMPTY_CONTENT))).toBe(1)
    expect(schemaVersionOf(rivals('$schema', [3, 1], [2, 1]))).toBe(3)
    expect(schemaVersionOf(rivals('$schema', [2, 1], [4, 1], [3, 1]))).toBe(4)
  })

  test.for(['2', null, 1.5, -3, {}])('is 1 where it is %j', (value) => {
    expect(schemaVersionOf(rivals('$schema', [value, 1]))).toBe(1)
  })
})

describe('writes of one field after each other', () => {
  test('[L2] leave the last one, in memory and in bytes', () => {
    const stamp = { lastModified: 1, actor: 'ada/r/1' }
    const common = { kind: 'set', field: 'title', sequence: 1, actor: 'ada/r/1' } as const
    const { content, update } = writeRegisters(EMPTY_CONTENT, 1, [
      { ...common, value: 'one', lastModified: 1, supersedes: [] },
      { ...common, value: 'two', lastModified: 2, supersedes: [stamp] },
    ])
    expect(content.live.map(({ value }) => value)).toEqual(['two'])
    expect(decodeContent(update).live).toEqual(content.live)
  })
})
