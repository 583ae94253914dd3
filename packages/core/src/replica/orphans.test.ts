import { describe, expect, test } from 'vitest'
import { withOrphans } from './rebase.js'
import { type EntityKey, keyOf, type PendingOperation, type PendingPart } from './records.js'

function operation(id: string, ...parts: readonly (readonly [PendingPart['kind'], string])[]) {
  return {
    id,
    createdAt: 0,
    failure: null,
    parts: parts.map(
      ([kind, entity]): PendingPart => ({
        collection: 'cards',
        id: entity,
        kind,
        generation: '0',
        sequence: 1,
        lastModified: 1,
        writes: [],
        edit: null,
        client: 1,
        update: new Uint8Array(),
      }),
    ),
  } satisfies PendingOperation
}

/** The ids of what goes with `rejected`. */
function dropped(
  rejected: PendingOperation,
  outbox: readonly PendingOperation[],
  confirmed: readonly string[] = [],
): string[] {
  const pendingOn = (key: EntityKey): PendingOperation[] =>
    outbox.filter(({ parts }) => parts.some((part) => keyOf(part) === key))
  return withOrphans(rejected, pendingOn, (key) => confirmed.includes(key)).map(({ id }) => id)
}

describe('when an operation is rejected', () => {
  const create = operation('create', ['create', 'a'])
  const edit = operation('edit', ['update', 'a'])

  test('edits of what it created go with it', () => {
    expect(dropped(create, [create, edit])).toEqual(['create', 'edit'])
  })

  test('edits of an entity that the relay knows stay', () => {
    expect(dropped(create, [create, edit], ['cards/a'])).toEqual(['create'])
    expect(dropped(edit, [create, edit, operation('later', ['update', 'a'])])).toEqual(['edit'])
  })

  test('edits that another creation of the same id carries stay', () => {
    const again = operation('again', ['create', 'a'])
    expect(dropped(create, [create, again])).toEqual(['create'])
    expect(dropped(create, [create, again, edit])).toEqual(['create'])
    expect(dropped(create, [create, edit, again])).toEqual(['create', 'edit'])
  })

  test('edits that another creation carried go when that one goes as well', () => {
    const again = operation('again', ['create', 'a'], ['update', 'b'])
    const birth = operation('birth', ['create', 'b'])
    expect(dropped(birth, [birth, again, edit])).toEqual(['birth', 'again', 'edit'])
    const both = operation('both', ['create', 'a'], ['create', 'b'])
    expect(dropped(both, [both, again, edit])).toEqual(['both', 'again', 'edit'])
  })

  test('[L21] an operation goes as a whole, and takes along what stands on its other creations', () => {
    const both = operation('both', ['update', 'a'], ['create', 'b'])
    const onB = operation('on b', ['update', 'b'], ['create', 'c'])
    const onC = operation('on c', ['update', 'c'])
    const aside = operation('aside', ['update', 'd'])
    expect(dropped(create, [create, both, onB, onC, aside], ['cards/d'])).toEqual([
      'create',
      'both',
      'on b',
      'on c',
    ])
  })

  test('each goes once, also in a ring', () => {
    const left = operation('left', ['create', 'a'], ['update', 'b'])
    const right = operation('right', ['create', 'b'], ['update', 'a'])
    expect(dropped(left, [left, right])).toEqual(['left', 'right'])
  })
})
