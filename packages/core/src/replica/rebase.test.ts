import { describe, expect, test } from 'vitest'
import type * as Y from 'yjs'
import {
  captureUpdate,
  decodeContent,
  mergeUpdates,
  openDocument,
  type RegisterWrite,
  type Stamp,
} from '../entity/index.js'
import { confirmChange } from './confirmed.js'
import {
  followItems,
  inheritSuperseded,
  itemTableOf,
  joinEdit,
  movedTexts,
  rebaseParts,
  withOrphans,
} from './rebase.js'
import type { ConfirmedEntity, PendingOperation, PendingPart } from './records.js'

const BASE = 1
const OWN = 2
const FRESH = 3
const NOTHING = new Uint8Array([0, 0])

const stamp = (lastModified: number): Stamp => ({ lastModified, actor: 'ada/r/1' })

const set = (field: string, lastModified: number, supersedes: readonly Stamp[]): RegisterWrite => ({
  kind: 'set',
  field,
  value: 'x',
  sequence: 1,
  ...stamp(lastModified),
  supersedes,
})

const increment: RegisterWrite = {
  kind: 'increment',
  field: 'title',
  by: 1,
  sequence: 1,
  ...stamp(50),
}

describe('what dropped writes had superseded', () => {
  const gone = set('title', 2, [stamp(1), stamp(9)])

  test('[L2] is superseded by whoever had superseded them, once, and they no longer are', () => {
    const later = set('title', 3, [stamp(2), stamp(9)])
    expect(inheritSuperseded([later], [gone])).toEqual([
      { ...later, supersedes: [stamp(9), stamp(1)] },
    ])
  })

  test('[L2] is handed down through a chain of them', () => {
    const chain = [set('title', 2, [stamp(1)]), set('title', 3, [stamp(2)])]
    const last: RegisterWrite = { kind: 'remove', field: 'title', supersedes: [stamp(3)] }
    expect(inheritSuperseded([last], chain)).toEqual([{ ...last, supersedes: [stamp(1)] }])
  })

  test('does not touch writes of another field, counters, and writes that had not seen them', () => {
    const writes = [set('done', 3, [stamp(2)]), increment, set('title', 4, [stamp(8)])]
    const left = inheritSuperseded(writes, [gone])
    for (const [place, write] of writes.entries()) expect(left[place]).toBe(write)
  })

  test('is nothing where only removals and counters were dropped', () => {
    const writes = [set('title', 3, [stamp(2)]), increment]
    const removal: RegisterWrite = { kind: 'remove', field: 'title', supersedes: [stamp(1)] }
    expect(inheritSuperseded(writes, [removal, increment])).toBe(writes)
  })
})

/** A part that only edits the text of a note. */
function textPart(edit: Uint8Array | null, change: Partial<PendingPart> = {}): PendingPart {
  return {
    collection: 'notes',
    id: 'n',
    kind: 'update',
    generation: '0',
    sequence: 1,
    lastModified: 1,
    writes: [],
    edit,
    client: OWN,
    update: edit ?? NOTHING,
    ...change,
  }
}

function confirmedNote(doc: Y.Doc, text: string): ConfirmedEntity {
  return confirmChange(undefined, {
    collection: 'notes',
    id: 'n',
    generation: '0',
    update: text === '' ? NOTHING : edited(doc, () => doc.getText('body').insert(0, text)),
    sequence: 1,
    lastModified: 1,
    confirmedSequence: 1,
  })
}

function edited(doc: Y.Doc, change: () => void): Uint8Array {
  const update = captureUpdate(doc, change)
  if (update === undefined) throw new Error('no change')
  return update
}

const bodyOf = (...updates: readonly Uint8Array[]): unknown =>
  decodeContent(mergeUpdates(updates)).shared()?.['body']

/** Operations that each change the text of a note, made one after the other on top of `base`. */
function typing(base: string, ...changes: readonly ((text: Y.Text) => void)[]) {
  const confirmed = confirmedNote(openDocument([], BASE), base)
  const doc = openDocument([confirmed.bytes], OWN)
  const parts = changes.map((change) => textPart(edited(doc, () => change(doc.getText('body')))))
  return { confirmed, parts }
}

const operationOf = (part: PendingPart, index: number): PendingOperation => ({
  id: `${index}`,
  createdAt: 0,
  failure: null,
  parts: [part],
})

function droppedWith(
  rejected: number,
  operations: readonly PendingOperation[],
  isConfirmed = true,
): string[] {
  const operation = operations[rejected]
  if (operation === undefined) throw new Error('no such operation')
  // What is asked for may come with operations on other entities.
  return withOrphans(
    operation,
    () => operations,
    () => isConfirmed,
  ).map(({ id }) => id)
}

describe('[L15] when an operation on a text is rejected', () => {
  test('what was typed into its middle goes, what was typed around and across it stays', () => {
    const { parts } = typing(
      'ab',
      (text) => text.insert(1, 'XY'),
      (text) => text.insert(1, 'before'),
      (text) => text.insert(text.length - 1, 'after'),
      (text) => text.insert(text.toString().indexOf('Y'), 'middle'),
      (text) => text.delete(0, text.length),
    )
    const withoutText = textPart(null)
    const elsewhere = textPart(parts[3]?.edit ?? null, { id: 'other' })
    const operations = [...parts, withoutText, elsewhere].map(operationOf)
    expect(droppedWith(0, operations)).toEqual(['0', '3'])
    expect(droppedWith(5, operations)).toEqual(['5'])
  })
})

describe('when an operation is rejected', () => {
  const part = (id: string, kind: PendingPart['kind'], collection = 'notes'): PendingPart =>
    textPart(null, { id, kind, collection })

  test('that created nothing, later ones on what is not confirmed stay', () => {
    const operations = [part('n', 'update'), part('n', 'update')].map(operationOf)
    expect(droppedWith(0, operations, false)).toEqual(['0'])
  })

  test('edits stay that another creation carries, which came before it', () => {
    const parts = [part('n', 'create'), part('n', 'create'), part('n', 'update')]
    expect(droppedWith(1, parts.map(operationOf), false)).toEqual(['1'])
  })

  test('the creation of the same id in another collection carries nothing', () => {
    const both: PendingOperation = {
      ...operationOf(part('n', 'update'), 2),
      parts: [part('n', 'create', 'cards'), part('n', 'update')],
    }
    const create = operationOf(part('n', 'create'), 0)
    const other = operationOf(part('other', 'update'), 1)
    const pending = [create, both, other]
    const dropped = withOrphans(
      create,
      (key) => pending.filter((operation) => key === 'notes/n' && operation !== other),
      () => false,
    )
    expect(dropped.map(({ id }) => id)).toEqual(['0', '2'])
  })
})

describe('text that is said again', () => {
  test('[L15] stands on what nobody has confirmed as well', () => {
    const { parts } = typing(
      '',
      (text) => text.insert(0, 'ac'),
      (text) => text.insert(1, 'b'),
    )
    const again = rebaseParts(undefined, parts, FRESH)
    expect(bodyOf(...again.map(({ update }) => update))).toBe('abc')
  })

  test('[L15] stays beside what it was typed next to, also where nobody knows that yet', () => {
    const { confirmed, parts } = typing(
      'ad',
      (text) => text.insert(1, 'b'),
      (text) => text.insert(2, 'c'),
    )
    const [first, second] = parts
    if (first === undefined || second === undefined) throw new Error('two parts')
    const [again] = rebaseParts(confirmed, [second], FRESH)
    expect(bodyOf(confirmed.bytes, again?.update ?? first.update, first.update)).toBe('abcd')
  })

  test('[L15] is found by where it was and where it is', () => {
    const { confirmed, parts } = typing(
      'ad',
      (text) => text.insert(1, 'bc'),
      (text) => text.delete(0, 1),
    )
    const [typed, deletion] = parts
    if (typed === undefined || deletion === undefined) throw new Error('two parts')
    const before = [textPart(null), typed, deletion, typed, typed]
    const [again] = rebaseParts(confirmed, [typed], FRESH)
    if (again === undefined) throw new Error('one part')
    const run = {
      entity: 'notes/n',
      from: { client: OWN, clock: 0 },
      to: { client: FRESH, clock: 0 },
      length: 2,
    }
    // The fourth has nothing left to say, the fifth is no longer there.
    const after = [again, again, deletion, textPart(null)]
    expect(movedTexts(before, after)).toEqual([run])
  })

  test('[L15] takes along what was parked beside it', () => {
    const { confirmed, parts } = typing(
      'ad',
      (text) => text.insert(1, 'bc'),
      (text) => text.insert(2, 'X'),
    )
    const [typed, parked] = parts
    if (typed === undefined || parked === undefined) throw new Error('two parts')
    const again = rebaseParts(confirmed, [typed], FRESH)
    const items = itemTableOf(movedTexts([typed], again))
    const followed = followItems(parked, items)
    expect(followed).toEqual({ ...parked, edit: followed.edit })
    // Its own items stand after a gap: a retry says it again, after what is pending then.
    const retried = rebaseParts(confirmed, [...again, followed], FRESH + 1)
    expect(bodyOf(confirmed.bytes, ...retried.map(({ update }) => update))).toBe('abXcd')
    const none = textPart(null)
    expect(followItems(none, items)).toBe(none)
  })

  test('comes in one update with the registers that were written after it', () => {
    expect(joinEdit(null, NOTHING)).toBe(NOTHING)
  })
})
