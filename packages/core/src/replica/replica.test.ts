import { beforeEach, describe, expect, test } from 'vitest'
import { EMPTY_CONTENT, type RegisterWrite, writeRegisters } from '../entity/index.js'
import { confirmChange } from './confirmed.js'
import {
  type ConfirmedEntity,
  type EntityKey,
  type EntityRef,
  keyOf,
  type OperationFailure,
  type PendingOperation,
  type PendingPart,
  ROLLED_BACK,
  type StoredOperation,
} from './records.js'
import { type AbsorbedRows, createReplica, type Replica } from './replica.js'

const A: EntityRef = { collection: 'cards', id: 'a' }
const B: EntityRef = { collection: 'cards', id: 'b' }
const NOTE: EntityRef = { collection: 'notes', id: 'a' }
const REFUSED: OperationFailure = { code: 'forbidden', message: 'No.' }

let clients = 0

/** One write under a client id of its own, so that parts can be put together at will. */
function partOn({ collection, id }: EntityRef, value: string, version = 1): PendingPart {
  clients += 1
  const write: RegisterWrite = {
    kind: 'set',
    field: value,
    value,
    lastModified: version,
    sequence: version,
    actor: `ada/r/${clients}`,
    supersedes: [],
  }
  const { update } = writeRegisters(EMPTY_CONTENT, clients, [write])
  return {
    collection,
    id,
    kind: 'update',
    generation: '0',
    sequence: version,
    lastModified: version,
    writes: [write],
    edit: null,
    client: clients,
    update,
  }
}

const operation = (
  id: string,
  parts: readonly PendingPart[],
  failure: OperationFailure | null = null,
): PendingOperation => ({ id, createdAt: 0, parts, failure })

const stored = (row: PendingOperation, order: number): StoredOperation => ({ ...row, order })

const confirmed = (ref: EntityRef, value: string, version = 1): ConfirmedEntity =>
  confirmChange(undefined, { ...partOn(ref, value, version), confirmedSequence: 1 })

let replica: Replica
/** What subscribers were told since it was last looked at. */
let told: EntityKey[]

beforeEach(() => {
  replica = createReplica()
  told = []
  replica.subscribe((changed) => told.push(...changed))
})

const absorb = (rows: Partial<AbsorbedRows>): void =>
  replica.absorb({ entities: [], operations: [], gone: [], ...rows })

const stage = (row: PendingOperation): void => replica.stage(row, new Map())

/** What an entity shows, and the ids of what waits on it. */
function shown(ref: EntityRef): unknown {
  const entity = replica.entity(ref)
  if (entity === undefined) return undefined
  const ids = (rows: readonly PendingOperation[]): string[] => rows.map(({ id }) => id)
  return [Object.keys(entity.view.values).sort(), ids(entity.pending), ids(entity.failed)]
}

const orders = (): number[] => [...replica.saved()].map(({ order }) => order)

describe('an operation that was just made', () => {
  test('shows at once, on each of its entities', () => {
    stage(operation('1', [partOn(A, 'x'), partOn(B, 'y')]))
    expect(shown(A)).toEqual([['x'], ['1'], []])
    expect(shown(B)).toEqual([['y'], ['1'], []])
    expect(told).toEqual([keyOf(A), keyOf(B)])
  })

  test('is gone when it is dropped, and with it an entity that it made', () => {
    stage(operation('1', [partOn(A, 'x')]))
    told = []
    replica.unstage('1')
    expect(shown(A)).toBeUndefined()
    expect(replica.unsaved()).toEqual([])
    expect(replica.operation('1')).toBeUndefined()
    expect(told).toEqual([keyOf(A)])
  })

  test('is not dropped once it is saved, nor what nobody knows', () => {
    absorb({ operations: [stored(operation('1', [partOn(A, 'x')]), 1)] })
    told = []
    replica.unstage('1')
    replica.unstage('2')
    expect(shown(A)).toEqual([['x'], ['1'], []])
    expect(told).toEqual([])
  })

  test('shows what another encoding of it says, in its place', () => {
    stage(operation('1', [partOn(A, 'x')]))
    stage(operation('2', [partOn(A, 'y')]))
    told = []
    const again = operation('1', [partOn(A, 'z')])
    replica.restage(again)
    expect(shown(A)).toEqual([['y', 'z'], ['1', '2'], []])
    expect(replica.unsaved()[0]).toBe(again)
    expect(replica.entity(A)?.pending[0]).toBe(again)
    expect(told).toEqual([keyOf(A)])
  })

  test('does not come back by another encoding of it', () => {
    replica.restage(operation('1', [partOn(A, 'x')]))
    absorb({ operations: [stored(operation('2', [partOn(B, 'y')]), 1)] })
    told = []
    replica.restage(operation('2', [partOn(B, 'z')]))
    expect(replica.unsaved()).toEqual([])
    expect(shown(A)).toBeUndefined()
    expect(shown(B)).toEqual([['y'], ['2'], []])
    expect(told).toEqual([])
  })
})

describe('stored operations', () => {
  test('[L9] come in their order, before those that are not saved yet', () => {
    stage(operation('new', [partOn(A, 'n')]))
    absorb({ operations: [stored(operation('3', [partOn(A, 'c')]), 3)] })
    absorb({ operations: [stored(operation('1', [partOn(A, 'a')]), 1)] })
    absorb({ operations: [stored(operation('2', [partOn(B, 'b')]), 2)] })
    expect(orders()).toEqual([1, 2, 3])
    expect(replica.operations().map(({ id }) => id)).toEqual(['1', '2', '3', 'new'])
    expect(shown(A)).toEqual([expect.anything(), ['1', '3', 'new'], []])
    expect(replica.savedOn(A).map(({ order }) => order)).toEqual([1, 3])
    expect(['1', '3', 'new', 'none'].map((id) => replica.orderOf(id))).toEqual([
      1,
      3,
      undefined,
      undefined,
    ])
  })

  test('stand once, also when their order changes', () => {
    const row = operation('1', [partOn(A, 'a')])
    absorb({ operations: [stored(row, 1), stored(operation('2', [partOn(A, 'b')]), 2)] })
    absorb({ operations: [stored(row, 1)] })
    expect(orders()).toEqual([1, 2])
    absorb({ operations: [stored(row, 3)] })
    expect(orders()).toEqual([2, 3])
    expect(replica.orderOf('1')).toBe(3)
  })

  test('[L12] that are parked are on their entity, and no part of what it shows', () => {
    const row = operation('1', [partOn(A, 'a')])
    absorb({ operations: [stored(row, 1), stored(operation('2', [partOn(A, 'b')]), 2)] })
    absorb({ operations: [stored({ ...row, failure: REFUSED }, 1)] })
    expect(shown(A)).toEqual([['b'], ['2'], ['1']])
    absorb({ gone: [2] })
    expect(shown(A)).toEqual([[], [], ['1']])
    expect(replica.content(A)).toBe(EMPTY_CONTENT)
    absorb({ operations: [stored(row, 1)] })
    expect(shown(A)).toEqual([['a'], ['1'], []])
    absorb({ operations: [stored({ ...row, failure: REFUSED }, 1)] })
    absorb({ gone: [1] })
    expect(shown(A)).toBeUndefined()
  })

  test('that say something else leave what they were on before', () => {
    const first = stored(operation('1', [partOn(A, 'a')]), 1)
    absorb({ operations: [first] })
    told = []
    absorb({ operations: [{ ...first, parts: [partOn(B, 'b')] }] })
    expect([shown(A), shown(B)]).toEqual([undefined, [['b'], ['1'], []]])
    expect(told.sort()).toEqual([keyOf(A), keyOf(B)])
    absorb({ operations: [first] })
    // The same id in another collection is another entity.
    absorb({ operations: [{ ...first, parts: [partOn(NOTE, 'n')] }] })
    expect([shown(A), shown(NOTE)]).toEqual([undefined, [['n'], ['1'], []]])
  })

  test('that were rolled back are known, and wait for nothing', () => {
    const row = stored(operation('1', [partOn(A, 'a')]), 1)
    absorb({ operations: [row, stored(operation('2', [partOn(B, 'b')]), 2)] })
    absorb({ operations: [{ ...row, parts: [], failure: ROLLED_BACK }] })
    expect(shown(A)).toBeUndefined()
    expect(replica.operations().map(({ id }) => id)).toEqual(['2'])
    expect(replica.operation('1')?.failure).toBe(ROLLED_BACK)
  })

  test('that nobody knows can leave', () => {
    stage(operation('1', [partOn(A, 'a')]))
    told = []
    absorb({ gone: [7] })
    expect(shown(A)).toEqual([['a'], ['1'], []])
    expect(told).toEqual([])
  })
})

describe('an entity', () => {
  test('that is confirmed shows what is stored with it, without decoding', () => {
    const row = confirmed(A, 'x')
    stage(operation('1', [partOn(A, 'y')]))
    absorb({ entities: [row] })
    expect(shown(A)).toEqual([['x', 'y'], ['1'], []])
    replica.unstage('1')
    expect(replica.entity(A)?.view).toBe(row.view)
  })

  test('[L6] has the greatest versions of what is confirmed, of elements and of envelopes', () => {
    const versions = (): (number | undefined)[] => {
      const entity = replica.entity(A)
      return [entity?.sequence, entity?.lastModified]
    }
    absorb({ entities: [{ ...confirmed(A, 'x', 3), sequence: 4, lastModified: 5 }] })
    expect(versions()).toEqual([4, 5])
    stage(operation('1', [partOn(A, 'y', 8)]))
    expect(versions()).toEqual([8, 8])
    replica.unstage('1')
    stage(operation('2', [{ ...partOn(A, 'y', 1), sequence: 6, lastModified: 7 }]))
    expect(versions()).toEqual([6, 7])
    stage(operation('3', [partOn(A, 'z', 2)]))
    expect(versions()).toEqual([6, 7])
  })

  test('has the greatest versions of its elements, when nothing of it is confirmed', () => {
    stage(operation('1', [{ ...partOn(A, 'x', 9), sequence: 2, lastModified: 2 }]))
    expect(replica.entity(A)).toMatchObject({ sequence: 9, lastModified: 9 })
  })

  test('is made up by its own updates only', () => {
    const row = confirmed(A, 'x')
    const own = partOn(A, 'y')
    absorb({
      entities: [row],
      operations: [stored(operation('1', [own, partOn(B, 'b'), partOn(NOTE, 'n')]), 1)],
    })
    expect(replica.updates(A)).toEqual([row.bytes, own.update])
    expect(replica.updates(B)).toHaveLength(1)
    expect(shown(A)).toEqual([['x', 'y'], ['1'], []])
    expect(shown(NOTE)).toEqual([['n'], ['1'], []])
  })

  test('that nobody knows is empty', () => {
    stage(operation('1', [partOn(A, 'x')]))
    for (const ref of [B, NOTE]) {
      expect(replica.entity(ref)).toBeUndefined()
      expect(replica.content(ref)).toBe(EMPTY_CONTENT)
      expect(replica.updates(ref)).toEqual([])
      expect(replica.savedOn(ref)).toEqual([])
    }
    expect(replica.savedOn(A)).toEqual([])
  })
})
