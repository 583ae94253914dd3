import { describe, expect, test } from 'vitest'
import {
  decodeContent,
  EMPTY_CONTENT,
  mergeUpdates,
  type RegisterWrite,
  viewOf,
} from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import { inheritSuperseded, rebaseParts } from '../replica/index.js'
import { collection, defineSchema } from '../schema/index.js'
import { createDraft, type DraftResult } from './draft.js'
import { CARD, type CardDraft, device, writesOf } from './draft-device.test-support.js'

function refusal(run: () => unknown): { code: string; path: unknown; message: string } {
  try {
    run()
  } catch (error) {
    if (error instanceof TidemarkError)
      return { code: error.code, path: error.path, message: error.message }
    throw error
  }
  throw new Error('it passes')
}

const supersededBy = (result: DraftResult) =>
  writesOf(result).flatMap((write) => (write.kind === 'increment' ? [] : write.supersedes))

describe('insert', () => {
  test('writes the fields that were given and those that have a default', () => {
    const { insert, values } = device()
    const result = insert({ title: 'Hello', tags: ['B', 'a', 'b'] })
    expect(values()).toEqual({ title: 'Hello', done: false, 'tags:b': true, 'tags:a': true })
    expect(result.entities).toEqual([CARD])
    expect(result.parts).toMatchObject([{ ...CARD, kind: 'create', generation: '0', sequence: 1 }])
  })

  test('[L1] gives each write a stamp of its own, and the part the latest time', () => {
    const { insert } = device()
    const { parts } = insert({ title: 'Hello', tags: ['a', 'b'] })
    const times = parts[0]?.writes.map((write) => (write.kind === 'set' ? write.lastModified : -1))
    expect(new Set(times).size).toBe(4)
    expect(parts[0]?.lastModified).toBeGreaterThan(Math.max(...(times ?? [])))
  })

  test('says in bytes what it says in values', () => {
    const { insert, update, values } = device()
    const first = insert({ title: 'Hello', tags: ['a'] })
    const second = update((card) => {
      card.title = 'Hi'
      card.tags.delete('a')
    })
    const updates = [...first.parts, ...second.parts].map((part) => part.update)
    expect(viewOf(decodeContent(mergeUpdates(updates))).values).toEqual(values())
    expect(values()).toEqual({ title: 'Hi', done: false })
  })

  test('makes an id where none is given', () => {
    const { run } = device()
    let id = ''
    run((own) => {
      id = own.insert('cards', { title: 'Hello' })
    })
    expect(id).toBe('id-1')
  })

  test('makes an entity even where nothing is written', () => {
    const bare = defineSchema({ version: 1, collections: { cards: collection({}) } })
    const draft = createDraft({
      schema: bare,
      content: () => EMPTY_CONTENT,
      view: () => viewOf(EMPTY_CONTENT),
      updates: () => [],
      sequence: () => 0,
      generation: () => '0',
      exists: () => false,
      now: () => 0,
      tick: () => 1,
      actor: 'a/b/1',
      client: 1,
      newId: () => 'a',
    })
    draft.insert('cards', {})
    expect(draft.finish().parts).toMatchObject([{ ...CARD, kind: 'create', writes: [] }])
  })

  test.for<[string, Record<string, unknown>, string, readonly string[]]>([
    ['a value that does not fit', { title: '' }, 'value-invalid', ['cards', 'title']],
    ['a field that is missing', { done: true }, 'value-invalid', ['cards', 'title']],
    ['an unknown field', { title: 'a', titel: 'b' }, 'value-invalid', ['cards', 'titel']],
    ['an inherited name', { title: 'a', toString: 'b' }, 'value-invalid', ['cards', 'toString']],
    ['an id that is none', { title: 'a', id: 'a/b' }, 'value-invalid', ['cards', 'id']],
    [
      'an id that is too long',
      { title: 'a', id: 'x'.repeat(129) },
      'value-invalid',
      ['cards', 'id'],
    ],
    ['an id that is no text', { title: 'a', id: 7 }, 'value-invalid', ['cards', 'id']],
    ['an element that does not fit', { title: 'a', tags: [7] }, 'value-invalid', ['cards', 'tags']],
    [
      'an element that is too long',
      { title: 'a', tags: ['x'.repeat(513)] },
      'value-invalid',
      ['cards', 'tags'],
    ],
    [
      'a text in place of a set',
      { title: 'a', tags: 'urgent' },
      'value-invalid',
      ['cards', 'tags'],
    ],
    ['a number in place of a set', { title: 'a', tags: 7 }, 'value-invalid', ['cards', 'tags']],
  ])('refuses %s', ([, input, code, path]) => {
    const { draft } = device()
    const own = draft()
    expect(refusal(() => own.insert('cards', { id: 'a', ...input }))).toMatchObject({ code, path })
    // Whoever catches the error and goes on has not inserted half of it.
    expect(own.peek(CARD)).toBeUndefined()
    expect(own.finish()).toMatchObject({ parts: [], entities: [] })
  })

  test('refuses an id that is taken, also by an earlier insert of the same transaction', () => {
    const { insert, draft } = device()
    const own = draft()
    own.insert('cards', { id: 'a', title: 'one' })
    expect(refusal(() => own.insert('cards', { id: 'a', title: 'two' })).code).toBe('entity-exists')
    expect(own.peek(CARD)?.values['title']).toBe('one')
    insert({ title: 'one' })
    expect(refusal(() => insert({ title: 'two' })).code).toBe('entity-exists')
  })

  test('[L23] makes a deleted entity anew, with nothing of its former life', () => {
    const { insert, run } = device()
    insert({ title: 'one', tags: ['a'] })
    run((own) => own.remove(CARD))
    const anew = insert({ title: 'two' })
    expect(anew.parts).toMatchObject([{ kind: 'create', generation: '1' }])
    const [content] = [...anew.contents.values()]
    expect(content && viewOf(content).values).toEqual({ title: 'two', done: false })
  })

  test('refuses the id of an entity that the same transaction deletes, and says how to bring it back', () => {
    const { insert, run } = device()
    insert({ title: 'one' })
    const both = (): unknown =>
      run((own) => {
        own.remove(CARD)
        own.insert('cards', { ...CARD, title: 'two' })
      })
    expect(refusal(both)).toMatchObject({
      code: 'entity-deleted',
      message: expect.stringContaining('restore()'),
    })
  })

  test('refuses a collection that the schema does not have', () => {
    const own = device().draft()
    expect(refusal(() => own.insert('notes', {}))).toMatchObject({
      code: 'schema-invalid',
      message: expect.stringContaining('It has: cards'),
    })
    expect(own.finish().parts).toEqual([])
  })
})

describe('update', () => {
  test('writes what differs, and nothing else', () => {
    const { insert, update } = device()
    insert({ title: 'Hello' })
    const result = update((card) => {
      card.title = 'Hi'
      card.done = false
    })
    expect(writesOf(result)).toMatchObject([
      { kind: 'set', field: 'title', value: 'Hi', sequence: 2 },
    ])
  })

  test('that changes nothing writes nothing', () => {
    const { insert, update } = device()
    insert({ title: 'Hello', size: { width: 1 }, tags: ['a'] })
    const result = update((card) => {
      card.title = 'Hi'
      card.title = 'Hello'
      card.size = { width: 1 }
      card.url = undefined
      card.tags.add('A')
      card.tags.delete('b')
      card.tags.delete('a')
      card.tags.add('a')
    })
    expect(result.parts).toEqual([])
    expect(result.entities).toEqual([CARD])
  })

  test('[L2] supersedes exactly the stamps that it saw', () => {
    const { insert, update, receive } = device()
    const [title] = writesOf(insert({ title: 'Hello' }))
    receive({ field: 'title', value: 'Theirs', lastModified: 5, supersedes: [] })
    const result = update((card) => {
      card.title = 'Both'
    })
    expect(supersededBy(result)).toHaveLength(2)
    expect(supersededBy(result)).toEqual(
      expect.arrayContaining([
        { lastModified: 5, actor: 'bob/x/y' },
        { lastModified: (title as { lastModified: number }).lastModified, actor: 'ada/r/1' },
      ]),
    )
  })

  test.for(['Mine', 'Theirs'])('[L3] the same value again settles a conflict: %s', (title) => {
    const { insert, update, receive, conflicts, values } = device()
    insert({ title: 'Mine' })
    receive({ field: 'title', value: 'Theirs', lastModified: 5, supersedes: [] })
    expect(conflicts()?.['title']).toHaveLength(2)
    const result = update((card) => {
      card.title = title
    })
    expect(writesOf(result)).toMatchObject([{ field: 'title', value: title }])
    expect(conflicts()).toBeUndefined()
    expect(values()?.['title']).toBe(title)
  })

  test('shows what was assigned so far', () => {
    const { insert, update, draft } = device()
    insert({ title: 'Hello', tags: ['a'] })
    update((card) => {
      card.title = `${card.title}!`
      card.tags.add('b')
      card.tags.delete('a')
      expect([card.id, card.title, card.done, card.url]).toEqual(['a', 'Hello!', false, undefined])
      expect([[...card.tags], card.tags.size, card.tags.has('b')]).toEqual([['b'], 1, true])
      expect({ ...card, tags: [...card.tags] }).toEqual({
        id: 'a',
        title: 'Hello!',
        done: false,
        url: undefined,
        size: undefined,
        tags: ['b'],
      })
      expect('title' in card).toBe(true)
      expect('titel' in card).toBe(false)
    })
    const own = draft()
    own.update(CARD, (card: CardDraft) => {
      card.title = 'Once'
    })
    own.update(CARD, (card: CardDraft) => {
      card.title += ' more'
    })
    expect(own.peek(CARD)?.values['title']).toBe('Once more')
    expect(own.finish().parts).toHaveLength(1)
  })

  test('keeps what it hands out from being changed behind its back', () => {
    const { insert, update, receive, values } = device()
    insert({ title: 'Hello' })
    // What came over the wire was frozen by nobody yet.
    receive({ field: 'size', value: { width: 1 }, lastModified: 5, supersedes: [] })
    expect(() =>
      update((card) => {
        if (card.size !== undefined) card.size.width = 2
      }),
    ).toThrow(TypeError)
    expect(values()?.['size']).toEqual({ width: 1 })
  })

  test('[SEC-13] knows the fields of the schema only', () => {
    const { insert, update, values } = device()
    insert({ title: 'Hello' })
    for (const name of ['titel', 'id', '$deleted', '__proto__', 'constructor', 'toString']) {
      const change = (card: CardDraft): void => {
        ;(card as unknown as Record<string, unknown>)[name] = 'x'
      }
      expect(
        refusal(() => update(change)),
        name,
      ).toMatchObject({
        code: 'value-invalid',
        path: ['cards', name],
      })
    }
    update((card) => {
      const record = card as unknown as Record<string, unknown>
      expect([record['titel'], record['constructor'], record['then']]).toEqual([
        undefined,
        undefined,
        undefined,
      ])
    })
    expect(values()).toEqual({ title: 'Hello', done: false })
  })

  test('refuses to assign a set, since that would undo what others add to it', () => {
    const { insert, update } = device()
    insert({ title: 'Hello' })
    const assign = (card: CardDraft): void => {
      ;(card as { tags: unknown }).tags = ['x']
    }
    expect(refusal(() => update(assign))).toMatchObject({
      code: 'value-invalid',
      message: expect.stringMatching(/is a set.*add\(\) and delete\(\)/),
    })
  })

  test('refuses what is missing or deleted', () => {
    const { insert, update, run } = device()
    expect(refusal(() => update(() => undefined)).code).toBe('entity-missing')
    expect(refusal(() => run((own) => own.remove(CARD))).code).toBe('entity-missing')
    expect(refusal(() => run((own) => own.restore(CARD))).code).toBe('entity-missing')
    insert({ title: 'Hello' })
    run((own) => own.remove(CARD))
    expect(refusal(() => update(() => undefined)).code).toBe('entity-deleted')
  })

  test('refuses a change that awaits something, of which the rest would be lost', async () => {
    const { insert, update, values } = device()
    insert({ title: 'Hello' })
    let rest: Promise<void> = Promise.resolve()
    const change = (card: CardDraft): Promise<void> => {
      rest = (async () => {
        card.title = 'Half'
        await Promise.resolve()
        card.done = true
      })()
      return rest
    }
    expect(refusal(() => update(change as (card: CardDraft) => void))).toMatchObject({
      code: 'value-invalid',
      message: expect.stringMatching(/asynchronous.*Await first/),
    })
    await expect(rest).rejects.toThrow(TypeError)
    expect(values()).toEqual({ title: 'Hello', done: false })
  })

  test('hands out a draft that is good for its own call only', () => {
    const { insert, update, values } = device()
    insert({ title: 'Hello' })
    const kept: CardDraft[] = []
    update((card) => void kept.push(card))
    expect(() => {
      for (const card of kept) card.title = 'Late'
    }).toThrow(TypeError)
    expect(values()).toEqual({ title: 'Hello', done: false })
  })

  test.for<[string, (card: CardDraft) => void]>([
    [
      'a value that does not fit',
      (card) => {
        card.url = 'nonsense'
      },
    ],
    ['an element that does not fit', (card) => card.tags.add(7 as never)],
    [
      'an error of the app',
      () => {
        throw new Error('changed my mind')
      },
    ],
  ])('that ends with %s leaves nothing behind, also when the transaction goes on', ([, fail]) => {
    const { insert, draft } = device()
    insert({ title: 'Hello' })
    const own = draft()
    own.update(CARD, (card: CardDraft) => {
      card.title = 'Kept'
    })
    expect(() =>
      own.update(CARD, (card: CardDraft) => {
        card.title = 'Half'
        card.done = true
        card.tags.add('half')
        fail(card)
      }),
    ).toThrow()
    expect(own.peek(CARD)?.values).toEqual({ title: 'Kept', done: false })
    expect(writesOf(own.finish())).toMatchObject([{ field: 'title', value: 'Kept' }])
  })
})

describe('sets', () => {
  test('adding is one register an element; adding twice is adding once', () => {
    const { insert, update } = device()
    insert({ title: 'Hello', tags: ['a'] })
    const result = update((card) => {
      card.tags.add('b')
      card.tags.add('b')
      card.tags.add('a')
    })
    expect(writesOf(result)).toMatchObject([{ kind: 'set', field: 'tags:b', value: true }])
  })

  test('deleting supersedes what is there and puts nothing in its place', () => {
    const { insert, update, values } = device()
    const [, , tag] = writesOf(insert({ title: 'Hello', tags: ['a'] }))
    const result = update((card) => card.tags.delete('a'))
    const { lastModified, actor } = tag as Extract<RegisterWrite, { kind: 'set' }>
    expect(writesOf(result)).toEqual([
      { kind: 'remove', field: 'tags:a', supersedes: [{ lastModified, actor }] },
    ])
    expect(values()).toEqual({ title: 'Hello', done: false })
  })

  test('what the schema converts when it is added is found under the same name again', () => {
    const { insert, update, values } = device()
    insert({ title: 'Hello', tags: ['Urgent'] })
    update((card) => {
      expect(card.tags.has('URGENT')).toBe(true)
      card.tags.delete('URGENT')
    })
    expect(values()).toEqual({ title: 'Hello', done: false })
  })

  test('an element that no longer fits the schema can still be deleted', () => {
    const { insert, update, receive, values } = device()
    insert({ title: 'Hello' })
    receive({ field: 'tags:OLD', value: true, lastModified: 5, supersedes: [] })
    update((card) => {
      expect([...card.tags]).toEqual(['OLD'])
      card.tags.delete('OLD')
    })
    expect(values()).toEqual({ title: 'Hello', done: false })
  })

  test('an element may hold anything, also a colon', () => {
    const { insert, update } = device()
    insert({ title: 'Hello', tags: ['a:b', '', 'ä 😀', '__proto__'] })
    update((card) => {
      expect([...card.tags]).toEqual(['', '__proto__', 'a:b', 'ä 😀'])
    })
  })

  test.for([
    ['', false],
    [' and read again from the disk', true],
  ] as const)(
    '[L2] an element that is removed, added and removed stays gone when the first removal is rejected%s',
    ([, reads]) => {
      const { insert, update, receive, replica } = device()
      insert({ title: 'Hello' })
      receive({ field: 'tags:a', value: true, lastModified: 5, supersedes: [] })
      const removed = update((card) => card.tags.delete('a'))
      if (reads) {
        const stored = replica.operations().map((row, index) => ({ ...row, order: index + 1 }))
        replica.absorb({ entities: [], operations: stored, gone: [] })
        receive({ field: 'done', value: true, lastModified: 6, supersedes: [] })
      }
      const added = update((card) => card.tags.add('a'))
      const removedAgain = update((card) => card.tags.delete('a'))
      // What is left is said again.
      const survivors = [added, removedAgain].flatMap(({ parts }) =>
        parts.map((part) => ({
          ...part,
          writes: inheritSuperseded(part.writes, writesOf(removed)),
        })),
      )
      const { confirmed } = replica.entity(CARD) ?? {}
      const updates = rebaseParts(confirmed, survivors, 9).map((part) => part.update)
      const after = decodeContent(mergeUpdates([confirmed?.bytes ?? new Uint8Array(), ...updates]))
      expect(viewOf(after).values['tags:a']).toBeUndefined()
    },
  )
})

describe('delete and restore', () => {
  test('hide an entity and bring it back with everything', () => {
    const { insert, run, values } = device()
    insert({ title: 'Hello' })
    expect(writesOf(run((own) => own.remove(CARD)))).toMatchObject([
      { kind: 'set', field: '$deleted', value: 1_790_000_000_000 },
    ])
    expect(writesOf(run((own) => own.restore(CARD)))).toMatchObject([
      { kind: 'set', field: '$deleted', value: null },
    ])
    expect(values()).toMatchObject({ title: 'Hello', $deleted: null })
  })

  test('twice is once', () => {
    const { insert, run } = device()
    insert({ title: 'Hello' })
    expect(run((own) => own.restore(CARD)).parts).toEqual([])
    run((own) => own.remove(CARD))
    expect(run((own) => own.remove(CARD)).parts).toEqual([])
  })

  test('in one transaction come to nothing', () => {
    const { insert, run } = device()
    insert({ title: 'Hello' })
    const result = run((own) => {
      own.remove(CARD)
      own.restore(CARD)
    })
    expect(result.parts).toEqual([])
    run((own) => own.remove(CARD))
    const back = run((own) => {
      own.restore(CARD)
      own.remove(CARD)
    })
    expect(back.parts).toEqual([])
  })

  test('an entity that is restored can be changed in the same transaction', () => {
    const { insert, run, values } = device()
    insert({ title: 'Hello' })
    run((own) => own.remove(CARD))
    run((own) => {
      own.restore(CARD)
      own.update(CARD, (card: CardDraft) => {
        card.title = 'Back'
      })
    })
    expect(values()).toMatchObject({ title: 'Back', $deleted: null })
  })
})

test('a transaction over several entities makes one part each, in the order they were named', () => {
  const { run } = device()
  const result = run((own) => {
    own.insert('cards', { id: 'b', title: 'b' })
    own.insert('cards', { id: 'a', title: 'a' })
    own.update({ collection: 'cards', id: 'b' }, (card: CardDraft) => {
      card.done = true
    })
  })
  expect(result.parts.map(({ id }) => id)).toEqual(['b', 'a'])
  expect(result.entities.map(({ id }) => id)).toEqual(['b', 'a'])
})

test('an error that was caught leaves nobody named who was not changed', () => {
  const { insert, draft } = device()
  insert({ title: 'Hello' })
  const own = draft()
  expect(refusal(() => own.insert('cards', { id: 'a', title: 'again' })).code).toBe('entity-exists')
  expect(own.finish().entities).toEqual([])
})
