import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import {
  compactUpdate,
  decodeContent,
  EMPTY_CONTENT,
  mergeUpdates,
  type RegisterWrite,
  writeRegisters,
} from '../entity/index.js'
import { type ConfirmedChange, confirmChange } from './confirmed.js'
import type { ConfirmedEntity } from './records.js'

const SEED = 20261120
const FIELDS = ['title', 'done', 'tags:a'] as const

/** Some writers; each has seen a part of what was written before. */
const scripts = fc.array(
  fc.record({
    writer: fc.integer({ min: 1, max: 3 }),
    field: fc.constantFrom(...FIELDS),
    value: fc.option(fc.string({ maxLength: 300 }), { freq: 6 }),
    sees: fc.double({ min: 0, max: 1, noNaN: true }),
    /** Versions in the envelope, which may be ahead of the elements [L6]. */
    sequence: fc.nat(30),
    lastModified: fc.nat(30),
  }),
  { minLength: 1, maxLength: 15 },
)
type Script = typeof scripts extends fc.Arbitrary<infer T> ? T : never

function changesOf(script: Script): ConfirmedChange[] {
  const updates: { writer: number; update: Uint8Array }[] = []
  return script.map(({ writer, field, value, sees, sequence, lastModified }, index) => {
    const horizon = Math.round(updates.length * sees)
    const known = updates.filter((other, place) => other.writer === writer || place < horizon)
    const content =
      known.length === 0
        ? EMPTY_CONTENT
        : decodeContent(mergeUpdates(known.map(({ update }) => update)))
    const supersedes = content.live.filter((element) => element.field === field)
    const write: RegisterWrite =
      value === null
        ? { kind: 'remove', field, supersedes }
        : {
            kind: 'set',
            field,
            value,
            lastModified: index + 1,
            sequence: index + 1,
            actor: `u/r/${writer}`,
            supersedes,
          }
    const { update } = writeRegisters(content, writer, [write])
    updates.push({ writer, update })
    return {
      collection: 'cards',
      id: 'c',
      generation: '0',
      update,
      sequence,
      lastModified,
      confirmedSequence: index + 1,
    }
  })
}

function confirmAll(changes: readonly ConfirmedChange[]): ConfirmedEntity {
  let entity: ConfirmedEntity | undefined
  for (const change of changes) entity = confirmChange(entity, change)
  if (entity === undefined) throw new Error('nothing to confirm')
  return entity
}

/** What an entity shows and says about itself; how its bytes came about is left aside. */
function meaningOf({ view, sequence, lastModified, confirmedSequence, bytes }: ConfirmedEntity) {
  const live = decodeContent(bytes)
    .live.map((element) => JSON.stringify(element))
    .sort()
  return { view, sequence, lastModified, confirmedSequence, live }
}

describe('the confirmed snapshot', () => {
  test('[CONV-1] [L6] is the same in whatever order its changes come, and however often', () => {
    fc.assert(
      fc.property(
        scripts,
        fc.array(fc.nat(100), { maxLength: 10 }),
        fc.infiniteStream(fc.nat(1000)),
        (script, again, random) => {
          const changes = changesOf(script)
          const shuffled = [
            ...changes,
            ...again.map((pick) => changes[pick % changes.length] as ConfirmedChange),
          ]
            .map((change) => ({ change, rank: random.next().value as number }))
            .sort((a, b) => a.rank - b.rank)
            .map(({ change }) => change)
          expect(meaningOf(confirmAll(shuffled))).toEqual(meaningOf(confirmAll(changes)))
        },
      ),
      { seed: SEED, numRuns: 300 },
    )
  })

  test('[L6] carries the greatest versions of envelopes and elements', () => {
    fc.assert(
      fc.property(scripts, (script) => {
        const changes = changesOf(script)
        const entity = confirmAll(changes)
        const greatest = (pick: (change: ConfirmedChange) => number): number =>
          Math.max(...changes.map(pick))
        expect(entity.sequence).toBe(
          Math.max(
            greatest(({ sequence }) => sequence),
            entity.view.sequence,
          ),
        )
        expect(entity.lastModified).toBe(
          Math.max(
            greatest(({ lastModified }) => lastModified),
            entity.view.lastModified,
          ),
        )
        expect(entity.confirmedSequence).toBe(changes.length)
      }),
      { seed: SEED, numRuns: 200 },
    )
  })

  test('[L17] holds nothing that was overwritten, however long its registers are written to', () => {
    let entity: ConfirmedEntity | undefined
    for (let index = 0; index < 1500; index++) {
      const content = entity === undefined ? EMPTY_CONTENT : decodeContent(entity.bytes)
      const field = `field${index % 8}`
      const supersedes = content.live.filter((element) => element.field === field)
      const { update } = writeRegisters(content, 1 + (index % 3), [
        {
          kind: 'set',
          field,
          value: `value ${index}`,
          lastModified: index + 1,
          sequence: index + 1,
          actor: `ada/replica/${index % 3}`,
          supersedes,
        },
      ])
      entity = confirmChange(entity, changeWith(update, index + 1))
      expect(entity.bytes).toEqual(compactUpdate(entity.bytes))
      expect(entity.bytes.length).toBeLessThan(800)
    }
  })

  test('[L17] with a text, stays below twice its compacted size, and is not compacted again and again while it is really large', () => {
    let entity: ConfirmedEntity | undefined
    let compactions = 0
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    for (let index = 0; index < 200; index++) {
      doc.getText('body').insert(0, 'x'.repeat(200))
      const before: number = entity?.compactedSize ?? 0
      entity = confirmChange(entity, changeWith(updates.at(-1) ?? new Uint8Array(), index + 1))
      if (entity.compactedSize !== before) compactions += 1
      expect(entity.bytes.length).toBeLessThanOrEqual(Math.max(1024, 2 * entity.compactedSize))
    }
    expect((entity as ConfirmedEntity).bytes.length).toBeGreaterThan(40_000)
    // Doubling each time: 1 kB to 40 kB.
    expect(compactions).toBeGreaterThan(4)
    expect(compactions).toBeLessThan(12)
  })
})

function changeWith(update: Uint8Array, sequence: number): ConfirmedChange {
  return {
    collection: 'cards',
    id: 'c',
    generation: '0',
    update,
    sequence,
    lastModified: sequence,
    confirmedSequence: sequence,
  }
}
