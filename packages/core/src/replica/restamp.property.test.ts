import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeContent,
  EMPTY_CONTENT,
  type EntityContent,
  mergeUpdates,
  type RegisterWrite,
  type Stamp,
  supersededBy,
  viewOf,
  writeRegisters,
} from '../entity/index.js'
import { rebaseParts } from './rebase.js'
import type { ConfirmedEntity, PendingOperation, PendingPart } from './records.js'
import {
  nameOf,
  noteRenames,
  type Renames,
  renameInOperation,
  restampOperations,
  timesOf,
  withFormerNames,
} from './restamp.js'

const SEED = 20261120
const NOW = 1_790_000_000_000
const YEARS = 10 * 365 * 86_400_000

/** An operation of one of two tabs, made offline on top of what another device had written. */
interface Step {
  readonly tab: 'a' | 'b'
  /** By field, what it becomes; null removes it. */
  readonly changes: readonly { readonly field: string; readonly value: string | null }[]
  /** Whether the tab has read what the other one saved. */
  readonly refreshes: boolean
  /** What the device's clock says, apart from where it stood at the start. */
  readonly elapsed: number
}

interface Outbox {
  readonly confirmed: ConfirmedEntity
  readonly operations: readonly PendingOperation[]
}

const CLIENTS = { a: 1, b: 2 } as const
const FRESH = 3

/** Plays the steps with a clock that runs `skew` ahead. Stamps go up with the outbox. */
function play(steps: readonly Step[], skew: number): Outbox {
  const confirmed = confirmedEntity()
  const operations: PendingOperation[] = []
  const read = { a: 0, b: 0 }
  let time = 0
  for (const [index, { tab, changes, refreshes, elapsed }] of steps.entries()) {
    if (refreshes) read[tab] = index
    const known = operations.filter(
      (operation, place) => place < read[tab] || operation.parts[0]?.client === CLIENTS[tab],
    )
    const content = contentOf(confirmed, known)
    const createdAt = NOW + skew + elapsed
    const tick = (): number => {
      time = Math.max(createdAt * 1000, time + 1)
      return time
    }
    const writes = changes.map(({ field, value }, place): RegisterWrite => {
      const supersedes = content.live
        .filter((element) => element.field === field)
        .map(({ lastModified, actor }) => ({ lastModified, actor }))
      if (value === null) return { kind: 'remove', field, supersedes }
      const stamp = { lastModified: tick(), actor: `ada/r/${tab}` }
      const unique = `${value}${index}.${place}`
      return { kind: 'set', field, value: unique, sequence: index + 2, ...stamp, supersedes }
    })
    const client = CLIENTS[tab]
    const { update } = writeRegisters(content, client, writes)
    const part = { ...partOf(writes), lastModified: tick(), client, update }
    operations.push({ id: `${index}`, createdAt, parts: [part], failure: null })
  }
  return { confirmed, operations }
}

const seenBy = (write: RegisterWrite | undefined): readonly Stamp[] =>
  write === undefined ? [] : supersededBy(write)

function partOf(writes: readonly RegisterWrite[]): PendingPart {
  return {
    collection: 'cards',
    id: 'c',
    kind: 'update',
    generation: '0',
    sequence: 1,
    lastModified: 1,
    writes,
    edit: null,
    client: 0,
    update: new Uint8Array(),
  }
}

/** Two fields, one of them in conflict, written long ago. */
function confirmedEntity(): ConfirmedEntity {
  const write = (lastModified: number, field: string, value: string): RegisterWrite => ({
    kind: 'set',
    field,
    value,
    lastModified,
    sequence: 1,
    actor: 'bo/r/x',
    supersedes: [],
  })
  const writes = [write(1, 'title', 'x'), write(2, 'title', 'y'), write(3, 'done', 'z')]
  const { update, content } = writeRegisters(EMPTY_CONTENT, 900, writes)
  return {
    collection: 'cards',
    id: 'c',
    generation: '0',
    bytes: update,
    compactedSize: update.length,
    confirmedSequence: 1,
    sequence: 1,
    lastModified: 3,
    view: viewOf(content),
  }
}

function contentOf(
  confirmed: ConfirmedEntity,
  operations: readonly PendingOperation[],
): EntityContent {
  const updates = operations.flatMap(({ parts }) => parts.map(({ update }) => update))
  return decodeContent(mergeUpdates([confirmed.bytes, ...updates]))
}

interface Restamped extends Outbox {
  readonly renames: Renames
}

/** As the sync does it: new stamps, then said again under a fresh client id. */
function restamped({ confirmed, operations }: Outbox, offset: number, actor = 'new'): Restamped {
  const result = restampOperations(operations, {
    actor: `ada/r/${actor}`,
    timeOf: (createdAt) => Math.max(0, (createdAt + offset) * 1000),
    latest: NOW * 1000,
  })
  const said = rebaseParts(
    confirmed,
    result.operations.flatMap(({ parts }) => parts),
    FRESH,
  )
  return {
    confirmed,
    operations: result.operations.map((operation, index) => ({
      ...operation,
      parts: said.slice(index, index + 1),
    })),
    renames: result.renames,
  }
}

/** What is shown, without stamps. */
function shown({ confirmed, operations }: Outbox): unknown {
  const { values, conflicts = {}, sequence } = viewOf(contentOf(confirmed, operations))
  const rivals = Object.entries(conflicts).map(([field, elements]) => [
    field,
    elements.map(({ value }) => value),
  ])
  return { values, rivals: rivals.sort(), sequence }
}

const stampsIn = (operations: readonly PendingOperation[]): Stamp[] =>
  operations.flatMap(({ parts }) =>
    parts.flatMap(({ writes }) => writes.filter((write) => write.kind === 'set')),
  )

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    tab: fc.constantFrom('a', 'a', 'b'),
    changes: fc.uniqueArray(
      fc.record({
        field: fc.constantFrom('title', 'title', 'done', 'note'),
        value: fc.option(fc.constantFrom('p', 'q'), { freq: 4 }),
      }),
      { minLength: 1, maxLength: 3, selector: ({ field }) => field },
    ),
    refreshes: fc.boolean(),
    elapsed: fc.integer({ min: -3_600_000, max: 3_600_000 }),
  }),
  { minLength: 1, maxLength: 10 },
)
const skews = fc.constantFrom(-YEARS, -60_000, 0, 60_000, YEARS)

describe('stamping the outbox anew', () => {
  test('[L7] [CLK-1] shows what was shown: values, conflicts and which of them is first', () => {
    let conflicts = 0
    fc.assert(
      fc.property(steps, skews, skews, (script, skew, offset) => {
        const before = play(script, skew)
        const after = restamped(before, offset)
        expect(shown(after)).toEqual(shown(before))
        if (after.operations.length > 1 && JSON.stringify(shown(after)).includes('rivals":[["'))
          conflicts += 1
      }),
      { seed: SEED, numRuns: 600 },
    )
    expect(conflicts).toBeGreaterThan(100)
  })

  test('[L1] [L7] gives times that go up with the outbox, are unique, and none later than now', () => {
    fc.assert(
      fc.property(steps, skews, skews, (script, skew, offset) => {
        const { operations } = restamped(play(script, skew), offset)
        const times = operations.flatMap(timesOf)
        expect(times).toEqual([...new Set(times)].sort((a, b) => a - b))
        expect(Math.max(...times)).toBeLessThanOrEqual(NOW * 1000)
        expect(Math.min(...times)).toBeGreaterThanOrEqual(0)
        for (const { actor } of stampsIn(operations)) expect(actor).toBe('ada/r/new')
      }),
      { seed: SEED, numRuns: 300 },
    )
  })

  test('[L7] gives an operation the time at which it was really made, where that is possible', () => {
    const script: Step[] = [-5_000, -4_000].map((elapsed) => ({
      tab: 'a',
      changes: [{ field: 'title', value: 'p' }],
      refreshes: true,
      elapsed,
    }))
    const { operations } = restamped(play(script, YEARS), -YEARS)
    expect(operations.flatMap(timesOf).map((time) => time - NOW * 1000)).toEqual([
      -5_000_000, -4_999_999, -4_000_000, -3_999_999,
    ])
  })

  test('[L2] lets every write name what it has seen by its new name, and by the old one', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const before = play(script, YEARS)
        const { operations, renames } = restamped(before, -YEARS)
        expect([...renames.keys()].sort()).toEqual(stampsIn(before.operations).map(nameOf).sort())
        for (const [index, operation] of operations.entries()) {
          const old = before.operations[index]?.parts[0]?.writes ?? []
          for (const [place, write] of (operation.parts[0]?.writes ?? []).entries()) {
            const names = new Set(supersededBy(write).map(nameOf))
            for (const stamp of seenBy(old[place])) {
              expect(names).toContain(nameOf(stamp))
              expect(names).toContain(nameOf(renames.get(nameOf(stamp)) ?? stamp))
            }
          }
        }
      }),
      { seed: SEED, numRuns: 300 },
    )
  })

  test('[L7] twice shows the same as once', () => {
    fc.assert(
      fc.property(steps, skews, (script, skew) => {
        const once = restamped(play(script, skew), 0)
        expect(shown(restamped(once, -YEARS, 'newer'))).toEqual(shown(once))
      }),
      { seed: SEED, numRuns: 300 },
    )
  })

  test('[L2] [L10] a write that is accepted under its old name after all is superseded as it was', () => {
    const step = { tab: 'a', changes: [{ field: 'note', value: 'p' }], refreshes: true } as const
    const before = play([0, 1].map((elapsed) => ({ ...step, elapsed })) satisfies Step[], YEARS)
    const [late] = before.operations
    const [, second] = restamped(before, -YEARS).operations
    if (late === undefined || second === undefined) throw new Error('two operations')
    const bytes = mergeUpdates([before.confirmed.bytes, ...late.parts.map(({ update }) => update)])
    const confirmed = { ...before.confirmed, bytes }
    const parts = rebaseParts(confirmed, second.parts, FRESH)
    const { live } = contentOf(confirmed, [{ ...second, parts }])
    expect(live.filter(({ field }) => field === 'note').map(({ value }) => value)).toEqual(['p1.0'])
  })

  test('[L2] [L10] a write made later knows what it has seen by all of its names', () => {
    const script: Step[] = [
      { tab: 'a', changes: [{ field: 'note', value: 'p' }], refreshes: true, elapsed: 0 },
    ]
    const first = play(script, YEARS)
    const second = restamped(first, -YEARS)
    const third = restamped(second, -YEARS, 'newer')
    const names = [first, second, third].map(({ operations }) => stampsIn(operations).map(nameOf))
    const [last] = stampsIn(third.operations)
    if (last === undefined) throw new Error('one write')
    const later = { kind: 'remove', field: 'note', supersedes: [last] } as const
    const pending = third.operations.flatMap(({ parts }) => parts.flatMap(({ writes }) => writes))
    const [named] = withFormerNames([later], pending)
    expect(seenBy(named).map(nameOf).sort()).toEqual(names.flat().sort())
    expect(new Set(names.flat()).size).toBe(3)
    expect(seenBy(withFormerNames([{ ...later, supersedes: [] }], pending)[0])).toEqual([])
  })

  test('[L7] another tab reads off the rows what was renamed, and renames its own writes once', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const before = play(script, YEARS)
        const after = restamped(before, -YEARS)
        const seen = new Map<string, Stamp>()
        for (const [index, operation] of before.operations.entries())
          noteRenames(operation, after.operations[index] ?? operation, seen)
        expect(seen).toEqual(after.renames)
        for (const operation of before.operations) {
          const renamed = renameInOperation(operation, seen)
          expect(renameInOperation(renamed, seen)).toBe(renamed)
        }
      }),
      { seed: SEED, numRuns: 200 },
    )
  })
})
