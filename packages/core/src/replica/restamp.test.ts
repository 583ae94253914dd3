import { describe, expect, test } from 'vitest'
import type { RegisterWrite, Stamp } from '../entity/index.js'
import type { PendingOperation, PendingPart } from './records.js'
import {
  nameOf,
  noteRenames,
  renameInOperation,
  restampOperation,
  restampOperations,
  timesOf,
  withFormerNames,
} from './restamp.js'

const ACTOR = 'ada/r/new'

const stamp = (lastModified: number, actor = 'ada/r/1'): Stamp => ({ lastModified, actor })

type SetWrite = Extract<RegisterWrite, { kind: 'set' }>

const set = (lastModified: number, supersedes: readonly Stamp[] = []): SetWrite => ({
  kind: 'set',
  field: 'title',
  value: 'x',
  sequence: 1,
  ...stamp(lastModified),
  supersedes,
})

const increment = (lastModified: number): RegisterWrite => ({
  kind: 'increment',
  field: 'likes',
  by: 1,
  sequence: 1,
  ...stamp(lastModified),
})

const removal = (supersedes: readonly Stamp[]): RegisterWrite => ({
  kind: 'remove',
  field: 'title',
  supersedes,
})

function operation(...parts: readonly (readonly RegisterWrite[])[]): PendingOperation {
  return {
    id: 'op',
    createdAt: 1,
    failure: null,
    parts: parts.map(
      (writes): PendingPart => ({
        collection: 'cards',
        id: 'c',
        kind: 'update',
        generation: '0',
        sequence: 1,
        lastModified: 1,
        writes,
        edit: null,
        client: 1,
        update: new Uint8Array(),
      }),
    ),
  }
}

const writesOf = ({ parts }: PendingOperation): RegisterWrite[] =>
  parts.flatMap(({ writes }) => writes)

describe('stamping anew', () => {
  test('[L7] puts what was made in the future as late as possible, one after the other', () => {
    const { operations } = restampOperations([operation([set(1)]), operation([set(2)])], {
      actor: ACTOR,
      timeOf: () => 5000,
      latest: 1000,
    })
    expect(operations.flatMap(timesOf)).toEqual([997, 998, 999, 1000])
  })

  test('[L2] [L5] gives counters a new stamp and removals none, and neither a former name', () => {
    const renames = new Map([[nameOf(stamp(4)), stamp(40, ACTOR)]])
    let time = 100
    const before = operation([increment(5), removal([stamp(4)]), set(6)])
    const after = restampOperation(before, ACTOR, () => time++, renames)
    expect(writesOf(after)).toEqual([
      { ...increment(5), ...stamp(100, ACTOR) },
      removal([stamp(40, ACTOR), stamp(4)]),
      { ...set(6), ...stamp(101, ACTOR), formerly: [stamp(6)] },
    ])
    expect(timesOf(after)).toEqual([100, 101, 102])
    expect([...renames.keys()]).toEqual([nameOf(stamp(4)), nameOf(stamp(6))])
  })
})

describe('writes that were just made', () => {
  const renamed = { ...set(40), formerly: [stamp(4), stamp(14)] }

  test('[L2] name what they have seen by its former names as well', () => {
    const unknown = set(60, [stamp(50)])
    const counter = increment(61)
    const seen = removal([stamp(40), stamp(50)])
    const named = withFormerNames([seen, unknown, counter], [set(50), removal([]), renamed])
    expect(named).toEqual([removal([stamp(40), stamp(50), stamp(4), stamp(14)]), unknown, counter])
    expect(named[1]).toBe(unknown)
  })

  test('stay as they are where nothing has former names', () => {
    const writes = [set(60, [stamp(50)])]
    expect(withFormerNames(writes, [set(50), removal([stamp(1)]), increment(2)])).toBe(writes)
  })
})

describe('what was renamed by another tab', () => {
  const renames = new Map([[nameOf(stamp(4)), stamp(40, ACTOR)]])

  test('[L2] is superseded under both of its names', () => {
    const before = operation([set(5, [stamp(4)]), increment(6)], [set(7, [stamp(3)])])
    const after = renameInOperation(before, renames)
    expect(after).toEqual(
      operation([set(5, [stamp(40, ACTOR), stamp(4)]), increment(6)], [set(7, [stamp(3)])]),
    )
    expect(after.parts[1]).toBe(before.parts[1])
  })

  test('changes nothing where it is not superseded, or named already', () => {
    for (const same of [
      operation([set(5, [stamp(3)]), increment(6)]),
      operation([set(5, [stamp(4), stamp(40, ACTOR)])]),
    ])
      expect(renameInOperation(same, renames)).toBe(same)
    const untouched = operation([set(5, [stamp(4)])])
    expect(renameInOperation(untouched, new Map())).toBe(untouched)
  })

  test('[L7] is read off two versions of an operation, place by place', () => {
    const before = operation([removal([]), set(5), set(6)], [increment(7), set(8)])
    const now = (write: SetWrite, time: number) => ({ ...write, ...stamp(time, ACTOR) })
    const after = operation(
      [removal([]), now(set(5), 50), set(6)],
      [{ ...increment(7), ...stamp(70, ACTOR) }, now(set(8), 80)],
    )
    const seen = new Map<string, Stamp>()
    noteRenames(before, after, seen)
    expect(seen).toEqual(
      new Map([
        [nameOf(stamp(5)), stamp(50, ACTOR)],
        [nameOf(stamp(8)), stamp(80, ACTOR)],
      ]),
    )
  })

  test('is nothing where an operation says nothing any more, or something else', () => {
    const seen = new Map<string, Stamp>()
    const before = operation([set(5), removal([]), increment(6)])
    noteRenames(before, operation(), seen)
    noteRenames(before, operation([]), seen)
    noteRenames(before, operation([removal([]), set(7), set(8)]), seen)
    expect(seen.size).toBe(0)
  })
})
