import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type * as Y from 'yjs'
import {
  captureUpdate,
  compactUpdate,
  decodeContent,
  mergeUpdates,
  openDocument,
  validateUpdate,
} from '../entity/index.js'
import { confirmChange } from './confirmed.js'
import { rebaseParts, withOrphans } from './rebase.js'
import type { ConfirmedEntity, PendingOperation, PendingPart } from './records.js'

const SEED = 20261121
const BASE_CLIENT = 1
const OWN_CLIENT = 2
const FRESH_CLIENT = 3

/** What an author did in one operation: text put in and taken out at shares of what was there. */
const edits = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.nat(3),
    insert: fc.nat(4),
  }),
  { minLength: 1, maxLength: 3 },
)
const scripts = fc.record({
  base: fc.nat(8),
  operations: fc.array(edits, { minLength: 1, maxLength: 6 }),
  rejected: fc.nat(5),
})

/**
 * The text as a list of all letters that were ever typed, with who typed and who deleted each. Independent of Yjs: what a
 * rollback must show is what remains when the letters and the deletions of the dropped operations are left out.
 */
interface Letter {
  readonly letter: string
  readonly by: number
  readonly deletedBy: Set<number>
}
const BASE = -1

function visibleFor(letters: readonly Letter[], without: ReadonlySet<number>): string {
  return letters
    .filter(
      ({ by, deletedBy }) => !without.has(by) && [...deletedBy].every((op) => without.has(op)),
    )
    .map(({ letter }) => letter)
    .join('')
}

const textOf = (updates: readonly Uint8Array[]): string =>
  String(decodeContent(mergeUpdates(updates)).shared()?.['body'] ?? '')

function partOf(edit: Uint8Array): PendingPart {
  return {
    collection: 'notes',
    id: 'n',
    kind: 'update',
    generation: '0',
    sequence: 1,
    lastModified: 1,
    writes: [],
    edit,
    client: OWN_CLIENT,
    update: edit,
  }
}

function play({ base, operations }: { base: number; operations: readonly Edit[][] }) {
  let typed = 0
  const nextLetter = (): string => String.fromCodePoint(0x4e00 + typed++)
  const letters: Letter[] = []
  const type = (doc: Y.Doc, by: number, at: number, count: number): void => {
    const visible = letters.filter(({ deletedBy }) => deletedBy.size === 0)
    const right = visible[at]
    // Beyond what is deleted there, as `Y.Text.insert` does.
    const place = right === undefined ? letters.length : letters.indexOf(right)
    const added = Array.from({ length: count }, () => nextLetter())
    letters.splice(
      place,
      0,
      ...added.map((letter) => ({ letter, by, deletedBy: new Set<number>() })),
    )
    if (count > 0) doc.getText('body').insert(at, added.join(''))
  }
  const start = openDocument([], BASE_CLIENT)
  const baseUpdate = captureUpdate(start, () => type(start, BASE, 0, base)) ?? emptyUpdate()
  const confirmed = confirmChange(undefined, {
    collection: 'notes',
    id: 'n',
    generation: '0',
    update: baseUpdate,
    sequence: 1,
    lastModified: 1,
    confirmedSequence: 1,
  })
  const doc = openDocument([baseUpdate], OWN_CLIENT)
  const parts = operations.map((own, by) => {
    const edit = captureUpdate(doc, () => {
      for (const { at, remove, insert } of own) {
        const visible = letters.filter(({ deletedBy }) => deletedBy.size === 0)
        const place = Math.round(at * visible.length)
        const gone = visible.slice(place, place + remove)
        for (const { deletedBy } of gone) deletedBy.add(by)
        if (gone.length > 0) doc.getText('body').delete(place, gone.length)
        type(doc, by, place, insert)
      }
    })
    return partOf(edit ?? emptyUpdate())
  })
  return { confirmed, parts, letters }
}

interface Edit {
  readonly at: number
  readonly remove: number
  readonly insert: number
}

const emptyUpdate = (): Uint8Array => new Uint8Array([0, 0])

function operationsOf(parts: readonly PendingPart[]): PendingOperation[] {
  return parts.map((part, index) => ({
    id: `op-${index}`,
    createdAt: 0,
    parts: [part],
    failure: null,
  }))
}

/** Rejects one operation: what is left of the chain, and which went. */
function reject(
  confirmed: ConfirmedEntity,
  parts: readonly PendingPart[],
  rejected: number,
  client = FRESH_CLIENT,
) {
  const operations = operationsOf(parts)
  const dropped = withOrphans(
    operations[rejected] as PendingOperation,
    () => operations,
    () => true,
  )
  const isDropped = (operation: PendingOperation): boolean => dropped.includes(operation)
  const survivors = operations.filter((operation) => !isDropped(operation))
  const part = ({ parts: [only] }: PendingOperation): PendingPart => only as PendingPart
  const rebased = rebaseParts(
    confirmed,
    survivors.map(part),
    client,
    operations.filter(isDropped).map(part),
  )
  return { rebased, gone: new Set(dropped.map((operation) => operations.indexOf(operation))) }
}

describe('[L15] [RB-2] when an operation on a text is rejected', () => {
  test('what remains is what would be there if it had never been typed', () => {
    let orphans = 0
    fc.assert(
      fc.property(scripts, (script) => {
        const { confirmed, parts, letters } = play(script)
        const rejected = script.rejected % parts.length
        const before = textOf([confirmed.bytes, ...parts.map(({ update }) => update)])
        expect(before).toBe(visibleFor(letters, new Set()))
        const { rebased, gone } = reject(confirmed, parts, rejected)
        orphans += gone.size - 1
        const after = textOf([confirmed.bytes, ...rebased.map(({ update }) => update)])
        expect(after).toBe(visibleFor(letters, gone))
      }),
      { seed: SEED, numRuns: 3000 },
    )
    expect(orphans).toBeGreaterThan(50)
  })

  test('[RB-2] one after the other, each leaves what would be there without all of them', () => {
    fc.assert(
      fc.property(scripts, (script) => {
        const { confirmed, parts, letters } = play(script)
        let pending: readonly PendingPart[] = parts
        let client = FRESH_CLIENT
        const gone = new Set<number>()
        const left = parts.map((_, index) => index)
        while (pending.length > 0) {
          const place = (script.rejected * client) % pending.length
          const outcome = reject(confirmed, pending, place, client)
          for (const index of [...outcome.gone].sort((a, b) => b - a))
            for (const operation of left.splice(index, 1)) gone.add(operation)
          pending = outcome.rebased
          client += 1
          const updates = pending.map(({ update }) => update)
          expect(textOf([confirmed.bytes, ...updates])).toBe(visibleFor(letters, gone))
        }
      }),
      { seed: SEED, numRuns: 500 },
    )
  })

  test('the survivors pass the strict validator, one after the other', () => {
    fc.assert(
      fc.property(scripts, (script) => {
        const { confirmed, parts } = play(script)
        const { rebased } = reject(confirmed, parts, script.rejected % parts.length)
        const clocks = new Map(decodeContent(confirmed.bytes).clocks)
        for (const { update } of rebased) {
          const validated = validateUpdate(
            update,
            {
              clock: (client) => clocks.get(client) ?? 0,
              tail: () => undefined,
              ownsClient: (client) => client === FRESH_CLIENT,
              ownsActor: () => true,
            },
            { maxBytes: 10_000, maxElements: 200, maxDeletions: 200 },
          )
          for (const [client, clock] of validated.clocks) clocks.set(client, clock)
        }
      }),
      { seed: SEED, numRuns: 500 },
    )
  })

  test('[L10] text keeps its place when what came before it was accepted in another copy', () => {
    const { confirmed, parts } = play({
      base: 2,
      operations: [
        [{ at: 0, remove: 0, insert: 1 }],
        [{ at: 1, remove: 0, insert: 2 }],
        [{ at: 1, remove: 0, insert: 3 }],
      ],
    })
    const [first, second, third] = parts
    if (first === undefined || second === undefined || third === undefined) throw new Error('three')
    // The first operation's letters stand under other ids now: those of its own copies are unknown for ever.
    const [copy] = rebaseParts(confirmed, [first], 99)
    const accepted = confirmChange(confirmed, {
      collection: 'notes',
      id: 'n',
      generation: '0',
      update: copy?.update ?? emptyUpdate(),
      sequence: 2,
      lastModified: 2,
      confirmedSequence: 2,
    })
    const [said] = rebaseParts(accepted, [third], FRESH_CLIENT, [second])
    const letters = textOf([third.update, confirmed.bytes, first.update, second.update])
    const after = textOf([accepted.bytes, said?.update ?? emptyUpdate()])
    expect(after).toBe(letters.slice(0, 3) + letters.slice(5))
  })

  test('[L16] the outcome is the same in bytes that were compacted', () => {
    fc.assert(
      fc.property(scripts, (script) => {
        const { confirmed, parts } = play(script)
        const { rebased } = reject(confirmed, parts, script.rejected % parts.length)
        const merged = mergeUpdates([confirmed.bytes, ...rebased.map(({ update }) => update)])
        expect(textOf([compactUpdate(merged)])).toBe(textOf([merged]))
      }),
      { seed: SEED, numRuns: 200 },
    )
  })
})
