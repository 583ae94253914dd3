import { describe, expect, test } from 'vitest'
import { EMPTY_CONTENT, type EntityContent, type LiveElement } from './register-log.js'
import { counterValue, DELETED_FIELD, isDeleted, setElements, viewOf } from './view.js'

const live = (
  field: string,
  value: LiveElement['value'],
  change: Partial<LiveElement> = {},
): LiveElement => ({
  field,
  value,
  lastModified: 1,
  sequence: 1,
  actor: 'ada/r/1',
  client: 1,
  clock: 0,
  ...change,
})

const contentOf = (...elements: readonly LiveElement[]): EntityContent => ({
  ...EMPTY_CONTENT,
  live: elements,
})

describe('a view', () => {
  test('[L6] has the greatest counter and time among the live elements, wherever they stand', () => {
    const content = contentOf(
      live('a', 'x', { sequence: 2, lastModified: 9 }),
      live('b', 'y', { sequence: 7, lastModified: 20 }),
      live('c', 'z', { sequence: 3, lastModified: 5 }),
    )
    expect(viewOf(content)).toMatchObject({ sequence: 7, lastModified: 20 })
    expect(viewOf(EMPTY_CONTENT)).toEqual({
      values: {},
      conflicts: undefined,
      shared: undefined,
      sequence: 0,
      lastModified: 0,
    })
  })

  test('[L3] shows all rivals of a conflict, the winner first, each value once', () => {
    const rivals = [
      live('title', 'old', { lastModified: 1 }),
      live('title', 'new', { lastModified: 4, actor: 'bo/r/1' }),
      live('title', 'old', { lastModified: 2 }),
      live('title', 'mid', { lastModified: 3 }),
    ]
    for (const order of [rivals, [...rivals].reverse()]) {
      const { values, conflicts } = viewOf(contentOf(...order))
      expect(values).toEqual({ title: 'new' })
      expect(conflicts).toEqual({
        title: [
          { value: 'new', actor: 'bo/r/1', lastModified: 4 },
          { value: 'mid', actor: 'ada/r/1', lastModified: 3 },
          { value: 'old', actor: 'ada/r/1', lastModified: 2 },
        ],
      })
    }
  })

  test('of an entity is deleted while its tombstone holds a time', () => {
    expect(isDeleted(viewOf(contentOf(live(DELETED_FIELD, 5))))).toBe(true)
    expect(isDeleted(viewOf(contentOf(live(DELETED_FIELD, null))))).toBe(false)
    expect(isDeleted(viewOf(EMPTY_CONTENT))).toBe(false)
    expect(DELETED_FIELD).toBe('$deleted')
  })

  test('lists the elements of a set, ascending, and nobody else’s', () => {
    const keys = ['tags:b', 'tags:a', 'tags:', 'tags', 'tagsx:c', 'x:tags:d']
    const view = viewOf(contentOf(...keys.map((key) => live(key, true))))
    expect(setElements(view, 'tags')).toEqual(['', 'a', 'b'])
  })

  test('[L5] adds up what the client ids of a counter have counted', () => {
    const view = viewOf(
      contentOf(
        live('likes:1', 2),
        live('likes:2', 5),
        live('likes:3', 'many'),
        live('likes', 100),
        live('other:1', 1000),
      ),
    )
    expect(counterValue(view, 'likes')).toBe(7)
    expect(counterValue(view, 'none')).toBe(0)
  })
})
