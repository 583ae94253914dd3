import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import {
  compactUpdate,
  decodeContent,
  EMPTY_CONTENT,
  type EntityContent,
  mergeUpdates,
  type RegisterWrite,
  validateUpdate,
  viewOf,
  writeRegisters,
} from './index.js'

const SEED = 20261120

/** One writer of the model: what it has seen, and what it does next. */
interface Step {
  readonly writer: number
  readonly field: string
  readonly value: string | null
  /** Other writers' updates that it takes in before, as a share of what it lacks. */
  readonly receives: number
}

const steps = fc.array(
  fc.record({
    writer: fc.integer({ min: 0, max: 3 }),
    field: fc.constantFrom('title', 'done', 'tags:a', 'tags:b'),
    value: fc.option(fc.string({ maxLength: 6 }), { freq: 4 }),
    receives: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { minLength: 1, maxLength: 40 },
)

const clientOf = (writer: number): number => 1000 + writer

/** Plays the steps with one replica a writer; returns every update and each replica's bytes. */
function play(script: readonly Step[]) {
  const updates: Uint8Array[] = []
  const seen = [0, 1, 2, 3].map(() => new Set<number>())
  const contents = [0, 1, 2, 3].map((): EntityContent => EMPTY_CONTENT)
  script.forEach(({ writer, field, value, receives }, index) => {
    const own = seen[writer] as Set<number>
    const missing = updates.map((_, position) => position).filter((position) => !own.has(position))
    for (const position of missing.slice(0, Math.round(missing.length * receives))) {
      // Writers send in order, so what is taken in must be taken in order too: from the oldest on.
      own.add(position)
    }
    const known = [...own].map((position) => updates[position] as Uint8Array)
    const content = known.length === 0 ? EMPTY_CONTENT : decodeContent(mergeUpdates(known))
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
    const written = writeRegisters(content, clientOf(writer), [write])
    contents[writer] = written.content
    own.add(updates.length)
    updates.push(written.update)
  })
  return { updates, contents }
}

const sortLive = (content: EntityContent) =>
  [...content.live].sort((a, b) => a.client - b.client || a.clock - b.clock)

describe('register log', () => {
  test('[L4] reads the same out of bytes as a Yjs document holds', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const { updates } = play(script)
        const doc = new Y.Doc()
        for (const update of updates) Y.applyUpdate(doc, update)
        expect(doc.store.pendingStructs).toBeNull()
        expect(doc.store.pendingDs).toBeNull()
        const fromDoc = [...doc.share.keys()]
          .flatMap((root) => doc.getArray(root).toArray())
          .map((element) => JSON.stringify(element))
          .sort()
        for (const bytes of [mergeUpdates(updates), Y.encodeStateAsUpdate(doc)]) {
          const live = decodeContent(bytes).live
          const fromBytes = live
            .map((e) => JSON.stringify([e.field, e.value, e.lastModified, e.sequence, e.actor]))
            .sort()
          expect(fromBytes).toEqual(fromDoc)
        }
      }),
      { seed: SEED, numRuns: 300 },
    )
  })

  test('[L4] reads the same whether or not it is known what the bytes show', () => {
    let rivals = 0
    fc.assert(
      fc.property(steps, (script) => {
        const bytes = mergeUpdates([new Uint8Array([0, 0]), ...play(script).updates])
        for (const update of [bytes, compactUpdate(bytes)]) {
          const read = decodeContent(update)
          const view = viewOf(read)
          if (Object.keys(view.values).length < read.live.length) rivals += 1
          const known = decodeContent(update, view)
          expect(known.live).toEqual(read.live)
          expect(known.clocks).toEqual(read.clocks)
          expect(known.tails).toEqual(read.tails)
          expect(viewOf(known)).toEqual(view)
        }
      }),
      { seed: SEED, numRuns: 300 },
    )
    expect(rivals).toBeGreaterThan(30)
  })

  test('[L4] what a write leaves in memory is what its bytes say', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.string({ maxLength: 5 })), {
          maxLength: 30,
        }),
        (writes) => {
          let content: EntityContent = EMPTY_CONTENT
          const updates: Uint8Array[] = []
          writes.forEach(([field, value], index) => {
            const supersedes = content.live.filter((element) => element.field === field)
            const written = writeRegisters(content, 7, [
              {
                kind: 'set',
                field,
                value,
                lastModified: index + 1,
                sequence: index,
                actor: 'u/r/7',
                supersedes,
              },
            ])
            content = written.content
            updates.push(written.update)
          })
          if (updates.length === 0) return
          const decoded = decodeContent(mergeUpdates(updates))
          expect(sortLive(decoded)).toEqual(sortLive(content))
          expect(decoded.clocks).toEqual(content.clocks)
          expect(decoded.tails).toEqual(content.tails)
          const compacted = decodeContent(compactUpdate(mergeUpdates(updates)))
          expect(sortLive(compacted)).toEqual(sortLive(content))
          expect(compacted.tails).toEqual(content.tails)
        },
      ),
      { seed: SEED, numRuns: 200 },
    )
  })

  test('[CONV-1] shows the same values whatever order updates arrive in, and however often', () => {
    fc.assert(
      fc.property(steps, fc.array(fc.nat(), { maxLength: 60 }), (script, picks) => {
        const { updates } = play(script)
        const shuffled = picks
          .map((pick) => updates[pick % updates.length] as Uint8Array)
          .concat([...updates].reverse())
        const straight = viewOf(decodeContent(mergeUpdates(updates)))
        expect(viewOf(decodeContent(compactUpdate(mergeUpdates(shuffled))))).toEqual(straight)
      }),
      { seed: SEED, numRuns: 200 },
    )
  })

  test('[L3] a conflict is two live elements of one field with different values', () => {
    const base = writeRegisters(EMPTY_CONTENT, 1, [set('title', 'old', 1, [])])
    const seen = base.content.live
    const left = writeRegisters(base.content, 2, [set('title', 'left', 5, seen)])
    const right = writeRegisters(base.content, 3, [set('title', 'right', 4, seen)])
    const merged = decodeContent(mergeUpdates([base.update, left.update, right.update]))
    const view = viewOf(merged)
    expect(view.values['title']).toBe('left')
    expect(view.conflicts?.['title']?.map((rival) => rival.value)).toEqual(['left', 'right'])

    const settled = writeRegisters(merged, 3, [set('title', 'both', 6, merged.live)])
    expect(viewOf(settled.content).conflicts).toBeUndefined()

    const same = writeRegisters(base.content, 3, [set('title', 'left', 4, seen)])
    const agreed = decodeContent(mergeUpdates([base.update, left.update, same.update]))
    expect(viewOf(agreed).conflicts).toBeUndefined()
  })

  test('[L17] an entity edited 5,000 times by two writers in turn stays small', () => {
    let bytes: Uint8Array = new Uint8Array([0, 0])
    for (let index = 0; index < 5000; index++) {
      const content = decodeContent(bytes)
      const field = `field${index % 8}`
      const supersedes = content.live.filter((element) => element.field === field)
      const { update } = writeRegisters(content, 10 + (index % 2), [
        { ...set(field, `value-${index}`, index + 1, supersedes), actor: `u/r/${index % 2}` },
      ])
      bytes = mergeUpdates([bytes, update])
      if (index % 50 === 0) bytes = compactUpdate(bytes)
    }
    expect(compactUpdate(bytes).length).toBeLessThan(700)
  })

  test('every update that a writer makes passes the strict validator', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const clocks = new Map<number, number>()
        const tails = new Map<number, number>()
        for (const update of play(script).updates) {
          const after = validateUpdate(
            update,
            {
              clock: (client) => clocks.get(client) ?? 0,
              tail: (client) => tails.get(client),
              ownsClient: () => true,
              ownsActor: () => true,
            },
            { maxBytes: 10_000, maxElements: 100, maxDeletions: 100 },
          )
          for (const [client, clock] of after.clocks) clocks.set(client, clock)
          for (const [client, tail] of after.tails) tails.set(client, tail)
        }
      }),
      { seed: SEED, numRuns: 200 },
    )
  })
})

function set(
  field: string,
  value: string,
  lastModified: number,
  supersedes: readonly { lastModified: number; actor: string }[],
): Extract<RegisterWrite, { kind: 'set' }> {
  return { kind: 'set', field, value, lastModified, sequence: 1, actor: 'u/r/1', supersedes }
}
