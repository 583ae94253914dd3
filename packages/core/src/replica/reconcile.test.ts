import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  counterValue,
  decodeContent,
  EMPTY_CONTENT,
  formatActor,
  renewDocument,
  type StorableValue,
  viewOf,
  writeRegisters,
} from '../entity/index.js'
import { confirmChange } from './confirmed.js'
import { type Reading, reconcile } from './reconcile.js'
import type { ConfirmedEntity } from './records.js'

const SEED = 20261121

type Write = readonly [
  client: number,
  field: string,
  value: StorableValue | { readonly by: number },
]

/** What writers make one after the other, each on top of everything before. */
function document(writes: readonly Write[], generation = '0'): ConfirmedEntity {
  let content = EMPTY_CONTENT
  let entity: ConfirmedEntity | undefined
  for (const [index, [client, field, value]] of writes.entries()) {
    const stamp = {
      lastModified: index + 1,
      sequence: index + 1,
      actor: formatActor({ user: 'ada', replica: 'replica', writer: client }),
    }
    const supersedes = content.live.filter((element) => element.field === field)
    const written = writeRegisters(content, client, [
      typeof value === 'object' && value !== null && 'by' in value
        ? { kind: 'increment', field, by: Number(value.by), ...stamp }
        : { kind: 'set', field, value, ...stamp, supersedes },
    ])
    content = written.content
    entity = confirmChange(entity, {
      collection: 'cards',
      id: 'c',
      generation,
      update: written.update,
      sequence: stamp.sequence,
      lastModified: stamp.lastModified,
      confirmedSequence: index + 1,
      isWhole: index === 0,
    })
  }
  if (entity === undefined) throw new Error('nothing was written')
  return entity
}

function renewed(entity: ConfirmedEntity): ConfirmedEntity {
  const update = renewDocument(entity.bytes, 1)?.update
  if (update === undefined) throw new Error('it can not be renewed')
  return { ...entity, generation: '0.new', bytes: update, view: viewOf(decodeContent(update)) }
}

function reading(change: Partial<Reading> = {}): Reading {
  return { isNewEpoch: true, isBehindHorizon: false, client: 99, newId: () => 'op', ...change }
}

const asChange = (entity: ConfirmedEntity) => ({ ...entity, update: entity.bytes, isWhole: true })

const writes = fc.array(
  fc.oneof(
    fc.tuple(
      fc.constantFrom(1, 2, 3),
      fc.constantFrom('title', 'done'),
      fc.nat(9),
    ) as fc.Arbitrary<Write>,
    fc
      .tuple(fc.constantFrom(1, 2, 3), fc.constantFrom('votes'), fc.integer({ min: 1, max: 9 }))
      .map(([client, field, by]): Write => [client, field, { by }]),
  ),
  { minLength: 1, maxLength: 12 },
)

describe('[L22] what a device has of an entity, beside what the relay has after it lost its tail', () => {
  test('is all shown and owed, whether the relay has an older document or a renewed one', () => {
    fc.assert(
      fc.property(writes, fc.nat(), fc.boolean(), (all, at, isRenewed) => {
        const own = document(all)
        const length = 1 + (at % all.length)
        const older = document(all.slice(0, length))
        const relay = asChange(isRenewed ? renewed(older) : older)
        const row = reconcile(own, relay, reading())
        expect(row?.view.values['title']).toEqual(own.view.values['title'])
        expect(row?.view.values['done']).toEqual(own.view.values['done'])
        expect(row && counterValue(row.view, 'votes')).toBe(counterValue(own.view, 'votes'))
        expect(row?.view.conflicts).toBeUndefined()
        expect(row?.owed !== undefined).toBe(length < all.length)
        // Once the relay has it, nothing is missing.
        if (row === undefined) return
        for (const device of [row, own])
          expect(reconcile(device, asChange(row), reading())?.owed).toBeUndefined()
      }),
      { seed: SEED, numRuns: 300 },
    )
  })

  test('stays with it when the relay has a newer value of the same field', () => {
    const own = document([[1, 'title', 'lost']])
    const relay = renewed(
      document([
        [1, 'title', 'first'],
        [2, 'title', 'newer'],
      ]),
    )
    const row = reconcile(own, asChange(relay), reading())
    expect(row).toMatchObject({ generation: '0.new', view: { values: { title: 'newer' } } })
    expect(row?.owed).toBeUndefined()
  })

  test('is the relay of a later life, or the own one when that is later [L23]', () => {
    const first = document([[1, 'title', 'first life']])
    const second = document([[1, 'title', 'second life']], '1')
    expect(reconcile(first, asChange(second), reading())).toMatchObject({
      generation: '1',
      view: { values: { title: 'second life' } },
    })
    const kept = reconcile(second, asChange(first), reading())
    expect(kept).toMatchObject({ generation: '1', owed: { id: 'op' }, confirmedSequence: 0 })
  })

  test('is owed as a whole when the relay has nothing of it, unless it was purged there [L23]', () => {
    const own = document([[1, 'title', 'Hi']])
    expect(reconcile(own, undefined, reading())).toEqual({
      ...own,
      confirmedSequence: 0,
      owed: { id: 'op', isAsked: false },
    })
    expect(reconcile(own, undefined, reading({ isBehindHorizon: true }))).toBeUndefined()
  })
})

describe('[L23] what a device has that was away for longer than tombstones are kept', () => {
  const same = reading({ isNewEpoch: false, isBehindHorizon: true })

  test('is gone when the relay has nothing of it, and otherwise what the relay has', () => {
    const own = document([[1, 'title', 'Hi']])
    const newer = document([
      [1, 'title', 'Hi'],
      [2, 'title', 'Ho'],
    ])
    expect(reconcile(own, undefined, same)).toBeUndefined()
    expect(reconcile(own, asChange(newer), same)).toMatchObject({
      view: { values: { title: 'Ho' } },
    })
    expect(reconcile(undefined, asChange(newer), same)?.view.values['title']).toBe('Ho')
  })

  test('stays while it is owed to the relay [L22]', () => {
    const own = { ...document([[1, 'title', 'Hi']]), owed: { id: 'before', isAsked: false } }
    expect(reconcile(own, undefined, same)).toMatchObject({ view: { values: { title: 'Hi' } } })
  })
})
