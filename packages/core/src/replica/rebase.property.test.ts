import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeContent,
  EMPTY_CONTENT,
  type EntityContent,
  mergeUpdates,
  type RegisterWrite,
  removalsAfter,
  viewOf,
  writeRegisters,
} from '../entity/index.js'
import { confirmChange } from './confirmed.js'
import { inheritSuperseded, rebaseParts } from './rebase.js'
import type { ConfirmedEntity, PendingPart } from './records.js'

const SEED = 20261120

/**
 * One write in the life of an entity: by another device (confirmed at once), or by one of two tabs of this device
 * (pending until the end).
 */
interface Step {
  readonly writer: 'remote' | 'tab a' | 'tab b'
  readonly field: string
  /** Null removes the register. */
  readonly value: string | null
  /** Whether the tab has read what the other tab saved, and what the relay confirmed. */
  readonly refreshes: boolean
  /** Whether the relay refuses it in the end; for pending writes. */
  readonly dropped: boolean
}

const CLIENTS = { remote: 900, 'tab a': 1, 'tab b': 2 } as const
const FRESH = 3

interface Outcome {
  readonly remote: readonly Uint8Array[]
  readonly pending: readonly { readonly step: Step; readonly write: RegisterWrite }[]
  /** The steps that happened. */
  readonly written: ReadonlySet<Step>
  /** The state with everything in it. */
  readonly content: EntityContent
}

/** Plays the steps that `happens` keeps. A write's stamp is its place in the script, whatever else happens. */
function play(
  script: readonly Step[],
  happens: (step: Step, content: EntityContent) => boolean,
): Outcome {
  const written = new Set<Step>()
  const remote: Uint8Array[] = []
  const pending: { index: number; step: Step; write: RegisterWrite; update: Uint8Array }[] = []
  /** How much of what is remote, and of the script, each tab has read; it always knows what it wrote itself. */
  const read = { 'tab a': { remote: 0, until: 0 }, 'tab b': { remote: 0, until: 0 } }

  for (const [index, step] of script.entries()) {
    const { writer, field, value } = step
    let content = contentOf(remote, [])
    if (writer !== 'remote') {
      // Also around a write that never happens: what a tab has seen must not differ.
      if (step.refreshes) read[writer] = { remote: remote.length, until: index }
      const { remote: known, until } = read[writer]
      content = contentOf(
        remote.slice(0, known),
        pending.filter((other) => other.index < until || other.step.writer === writer),
      )
    }
    if (!happens(step, content)) continue
    written.add(step)
    const supersedes = [
      ...content.live.filter((element) => element.field === field),
      ...(content.removed.get(field) ?? []),
    ].map(({ lastModified, actor }) => ({ lastModified, actor }))
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
    const { update } = writeRegisters(content, CLIENTS[writer], [write])
    if (writer === 'remote') remote.push(update)
    else pending.push({ index, step, write, update })
  }
  return {
    remote,
    pending,
    written,
    content: contentOf(remote, pending),
  }
}

function contentOf(
  remote: readonly Uint8Array[],
  pending: readonly { readonly write: RegisterWrite; readonly update: Uint8Array }[],
): EntityContent {
  const updates = [...remote, ...pending.map(({ update }) => update)]
  if (updates.length === 0) return EMPTY_CONTENT
  const writes = pending.map(({ write }) => write)
  return {
    ...decodeContent(mergeUpdates(updates)),
    removed: removalsAfter(EMPTY_CONTENT.removed, writes),
  }
}

/** The rule of `update`: what is so already is not written, unless it settles a conflict. */
function changesNothing({ live }: EntityContent, { field, value }: Step): boolean {
  const own = live.filter((element) => element.field === field)
  return value === null ? own.length === 0 : own.length === 1 && own[0]?.value === value
}

function confirmedFrom(updates: readonly Uint8Array[]): ConfirmedEntity | undefined {
  let confirmed: ConfirmedEntity | undefined
  for (const [index, update] of updates.entries()) {
    confirmed = confirmChange(confirmed, {
      collection: 'cards',
      id: 'c',
      generation: '0',
      update,
      sequence: index + 1,
      lastModified: index + 1,
      confirmedSequence: index + 1,
    })
  }
  return confirmed
}

function partOf(write: RegisterWrite): PendingPart {
  return {
    collection: 'cards',
    id: 'c',
    kind: 'update',
    generation: '0',
    sequence: 1,
    lastModified: 1,
    writes: [write],
    edit: null,
    client: 0,
    update: new Uint8Array(),
  }
}

/** What the entity holds once the dropped writes are gone and the others were said again. */
function rebased({ remote, pending }: Outcome): EntityContent {
  const dropped: RegisterWrite[] = []
  const survivors: RegisterWrite[] = []
  for (const { step, write } of pending) (step.dropped ? dropped : survivors).push(write)
  return sayAgain(
    remote,
    survivors.flatMap((write) => inheritSuperseded([write], dropped)),
  )
}

function sayAgain(remote: readonly Uint8Array[], writes: readonly RegisterWrite[]): EntityContent {
  const confirmed = confirmedFrom(remote)
  const survivors = rebaseParts(confirmed, writes.map(partOf), FRESH)
  const updates = survivors.map(({ update }) => update)
  if (confirmed !== undefined) updates.unshift(confirmed.bytes)
  return updates.length === 0 ? EMPTY_CONTENT : decodeContent(mergeUpdates(updates))
}

const liveOf = (content: EntityContent): string[] =>
  content.live
    .map(({ field, value, lastModified, sequence, actor }) =>
      JSON.stringify([field, lastModified, actor, sequence, value]),
    )
    .sort()

const stepsOf = (value: fc.Arbitrary<string | null>): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      writer: fc.constantFrom<Step['writer']>('remote', 'tab a', 'tab a', 'tab b'),
      field: fc.constantFrom('title', 'title', 'done'),
      value,
      refreshes: fc.boolean(),
      dropped: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  )

/** A tab removes an element, another one that knew nothing of it adds it, and the first one removes that as well. */
const UNSEEN_ADDITION: Step[] = [
  { writer: 'remote', field: 'done', value: 'true', refreshes: false, dropped: false },
  { writer: 'tab a', field: 'done', value: null, refreshes: true, dropped: true },
  { writer: 'tab b', field: 'done', value: 'true', refreshes: false, dropped: false },
  { writer: 'tab a', field: 'done', value: null, refreshes: true, dropped: false },
]

const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 2 })

describe('rebase', () => {
  test('[L2] [L14] gives what would be there if the dropped writes had never happened', () => {
    let conflicts = 0
    fc.assert(
      fc.property(stepsOf(text), (script) => {
        const really = rebased(play(script, () => true))
        const oracle = play(
          script,
          ({ writer, dropped }) => writer === 'remote' || !dropped,
        ).content
        expect(liveOf(really)).toEqual(liveOf(oracle))
        if (viewOf(oracle).conflicts !== undefined) conflicts += 1
      }),
      { seed: SEED, numRuns: 800 },
    )
    // Conflicts that somebody made are still there; without them the property would say little.
    expect(conflicts).toBeGreaterThan(100)
  })

  test('[L2] gives the same for elements of sets, which are added and removed', () => {
    let removals = 0
    fc.assert(
      fc.property(stepsOf(fc.constantFrom('true', null)), (script) => {
        const real = play(script, (step, content) => !changesNothing(content, step))
        // What changes nothing isn't written, so it can't come to matter later.
        const oracle = play(
          script,
          (step) => real.written.has(step) && (step.writer === 'remote' || !step.dropped),
        )
        const dropped = real.pending.filter(({ step }) => step.dropped)
        if (dropped.some(({ write }) => write.kind === 'remove')) removals += 1
        expect(liveOf(rebased(real))).toEqual(liveOf(oracle.content))
      }),
      { seed: SEED, numRuns: 800, examples: [[UNSEEN_ADDITION]] },
    )
    expect(removals).toBeGreaterThan(100)
  })

  test('[L14] gives the same whether writes are dropped together or one after the other', () => {
    fc.assert(
      fc.property(stepsOf(fc.option(text, { freq: 4 })), fc.nat(), (script, turn) => {
        const real = play(script, (step, content) => !changesNothing(content, step))
        const dropped = real.pending.filter(({ step }) => step.dropped)
        // Any order: the relay may refuse a later one first.
        const inTurn = dropped.map((_, index) => dropped[(index + turn) % dropped.length])
        let chain = real.pending.map(({ write }) => ({ write, original: write }))
        for (const next of inTurn) {
          const gone = chain.find(({ original }) => original === next?.write)
          if (gone === undefined) throw new Error('dropped twice')
          chain = chain
            .filter((entry) => entry !== gone)
            .map(({ write, original }) => ({
              original,
              write: inheritSuperseded([write], [gone.write])[0] ?? write,
            }))
        }
        const oneByOne = sayAgain(
          real.remote,
          chain.map(({ write }) => write),
        )
        expect(liveOf(oneByOne)).toEqual(liveOf(rebased(real)))
      }),
      { seed: SEED, numRuns: 1000 },
    )
  })

  test('[L1] [L2] keeps stamps, and a rebase of a rebase changes nothing', () => {
    fc.assert(
      fc.property(stepsOf(text), (script) => {
        const { remote, pending } = play(script, () => true)
        const confirmed = confirmedFrom(remote)
        const parts = pending.map(({ write }) => partOf(write))
        const once = rebaseParts(confirmed, parts, FRESH)
        const twice = rebaseParts(confirmed, once, FRESH)
        expect(twice).toEqual(once)
        expect(once.map(({ writes }) => writes)).toEqual(parts.map(({ writes }) => writes))
        for (const { client } of once) expect(client).toBe(FRESH)
      }),
      { seed: SEED, numRuns: 300 },
    )
  })
})
