import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EntityContent, type RegisterWrite, writeRegisters } from '../entity/index.js'
import { confirmChange } from './confirmed.js'
import { inheritSuperseded, rebaseParts } from './rebase.js'
import {
  type ConfirmedEntity,
  type EntityKey,
  keyOf,
  type PendingOperation,
  type PendingPart,
  type StoredOperation,
} from './records.js'
import { createReplica, type Replica } from './replica.js'

const SEED = 20261120
const IDS = ['a', 'b', 'c']

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('write'),
      ids: fc.uniqueArray(fc.constantFrom(...IDS), { minLength: 1, maxLength: 2 }),
      field: fc.constantFrom('title', 'tags:x'),
      value: fc.option(fc.string({ maxLength: 3 }), { freq: 5 }),
      /** Written by another tab, and saved at once; this tab reads it. */
      elsewhere: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('save'), count: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('confirm') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reject') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('remote'), id: fc.constantFrom(...IDS) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('unstage') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('discard') }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** What is on the disk, and the tab whose memory follows it. */
class Device {
  readonly replica: Replica = createReplica()
  readonly entities = new Map<EntityKey, ConfirmedEntity>()
  readonly saved = new Map<number, StoredOperation>()
  readonly happened = new Set<string>()
  #time = 0
  #order = 0
  #sequence = 0
  #client = 10

  play(next: Step): void {
    switch (next.type) {
      case 'write':
        this.#write(next)
        break
      case 'save': {
        const rows = this.replica
          .unsaved()
          .slice(0, next.count)
          .map((row) => this.#stored(row))
        if (rows.length > 0) this.happened.add('save')
        this.#absorb([], rows, [])
        break
      }
      case 'confirm':
        this.#confirm()
        break
      case 'reject':
        this.#reject()
        break
      case 'remote':
        this.#remote(next.id)
        break
      case 'unstage': {
        // Only the newest: nothing builds on it.
        const last = this.replica.unsaved().at(-1)
        if (last === undefined) break
        this.replica.unstage(last.id)
        this.happened.add('unstage')
        break
      }
      case 'discard': {
        const failed = [...this.saved.values()].find(({ failure }) => failure !== null)
        if (failed === undefined) break
        this.saved.delete(failed.order)
        this.#absorb([], [], [failed.order])
        this.happened.add('discard')
        break
      }
    }
  }

  #stored(row: PendingOperation): StoredOperation {
    this.#order += 1
    const stored = { ...row, order: this.#order }
    this.saved.set(stored.order, stored)
    return stored
  }

  #absorb(
    entities: readonly ConfirmedEntity[],
    operations: readonly StoredOperation[],
    gone: readonly number[],
  ): void {
    for (const entity of entities) this.entities.set(keyOf(entity), entity)
    this.replica.absorb({ entities, operations, gone })
  }

  #write({ ids, field, value, elsewhere }: Extract<Step, { type: 'write' }>): void {
    // Another tab writes on top of what is saved: the fresh replica of the disk shows it.
    const seen = elsewhere ? replicaOf(this.entities, this.saved, []) : this.replica
    const client = elsewhere ? 2 : 1
    const contents = new Map()
    const parts = ids.map((id): PendingPart => {
      this.#time += 1
      const ref = { collection: 'cards', id }
      const content = seen.content(ref)
      const supersedes = content.live.filter((element) => element.field === field)
      const write: RegisterWrite =
        value === null
          ? { kind: 'remove', field, supersedes }
          : {
              kind: 'set',
              field,
              value,
              lastModified: this.#time,
              sequence: (seen.entity(ref)?.sequence ?? 0) + 1,
              actor: `u/r/${client}`,
              supersedes,
            }
      const written = writeRegisters(content, client, [write])
      contents.set(keyOf(ref), written.content)
      return {
        ...ref,
        kind: 'update',
        generation: '0',
        sequence: (seen.entity(ref)?.sequence ?? 0) + 1,
        lastModified: this.#time,
        writes: [write],
        edit: null,
        client,
        update: written.update,
      }
    })
    const operation = { id: `op-${this.#time}`, createdAt: 0, parts, failure: null }
    if (elsewhere) this.#absorb([], [this.#stored(operation)], [])
    else this.replica.stage(operation, contents)
    this.happened.add(elsewhere ? 'write elsewhere' : 'write')
  }

  #confirm(): void {
    const [first] = [...this.saved.values()].filter(({ failure }) => failure === null)
    if (first === undefined) return
    this.#sequence += 1
    const entities = first.parts.map((part) =>
      confirmChange(this.entities.get(keyOf(part)), {
        ...part,
        confirmedSequence: this.#sequence,
      }),
    )
    this.saved.delete(first.order)
    this.#absorb(entities, [], [first.order])
    this.happened.add('confirm')
  }

  /** Parks the first operation and says everything else again [L12] [L14]. */
  #reject(): void {
    const [first, ...rest] = [...this.saved.values()].filter(({ failure }) => failure === null)
    if (first === undefined) return
    this.#client += 1
    const rows: StoredOperation[] = [{ ...first, failure: { code: 'forbidden', message: 'No.' } }]
    const survivors = rest.map((row) => ({
      ...row,
      parts: row.parts.map((part) => this.#without(first, part)),
    }))
    for (const id of IDS) {
      const key = `cards/${id}`
      const parts = survivors.flatMap((row) => row.parts.filter((part) => keyOf(part) === key))
      const again = rebaseParts(this.entities.get(key), parts, this.#client)
      for (const row of survivors)
        row.parts = row.parts.map((part) => (keyOf(part) === key ? (again.shift() ?? part) : part))
    }
    rows.push(...survivors)
    for (const row of rows) this.saved.set(row.order, row)
    this.#absorb([], rows, [])
    this.#repeatUnsaved(first)
    this.happened.add('reject')
  }

  #without(gone: PendingOperation, part: PendingPart): PendingPart {
    const dropped = gone.parts.filter((other) => keyOf(other) === keyOf(part))
    return {
      ...part,
      writes: inheritSuperseded(
        part.writes,
        dropped.flatMap(({ writes }) => writes),
      ),
    }
  }

  #repeatUnsaved(gone: PendingOperation): void {
    const contents = new Map()
    const disk = replicaOf(this.entities, this.saved, [])
    for (const operation of this.replica.unsaved()) {
      const parts = operation.parts.map((own) => {
        const part = this.#without(gone, own)
        const base = contents.get(keyOf(part)) ?? disk.content(part)
        const { content, update } = writeRegisters(base, this.#client + 1000, part.writes)
        contents.set(keyOf(part), content)
        return { ...part, client: this.#client + 1000, update }
      })
      this.replica.restage({ ...operation, parts })
    }
  }

  #remote(id: string): void {
    const ref = { collection: 'cards', id }
    this.#time += 1
    this.#sequence += 1
    const content = replicaOf(this.entities, new Map(), []).content(ref)
    const { update } = writeRegisters(content, 500, [
      {
        kind: 'set',
        field: 'title',
        value: `remote ${this.#time}`,
        lastModified: this.#time,
        sequence: this.#time,
        actor: 'v/r/1',
        supersedes: content.live.filter((element) => element.field === 'title'),
      },
    ])
    const entity = confirmChange(this.entities.get(keyOf(ref)), {
      ...ref,
      generation: '0',
      update,
      sequence: this.#time,
      lastModified: this.#time,
      confirmedSequence: this.#sequence,
    })
    this.#absorb([entity], [], [])
    this.happened.add('remote')
  }
}

/** A tab that has just read the disk, with unsaved operations staged again. */
function replicaOf(
  entities: ReadonlyMap<EntityKey, ConfirmedEntity>,
  saved: ReadonlyMap<number, StoredOperation>,
  unsaved: readonly PendingOperation[],
): Replica {
  const replica = createReplica()
  const operations = [...saved.values()].sort((a, b) => a.order - b.order)
  replica.absorb({ entities: [...entities.values()], operations, gone: [] })
  for (const operation of unsaved) replica.stage(operation, new Map())
  return replica
}

function show(replica: Replica): Record<string, unknown> {
  const entities = [...replica.collection('cards').values()].map(
    ({ id, view, sequence, lastModified, pending, failed, confirmed }) => [
      id,
      {
        view,
        sequence,
        lastModified,
        pending,
        failed,
        confirmed,
        savedOn: replica.savedOn({ collection: 'cards', id }).map(({ order }) => order),
        content: contentOf(replica.content({ collection: 'cards', id })),
      },
    ],
  )
  return {
    entities: Object.fromEntries(entities),
    operations: replica.operations(),
    counts: replica.counts(),
    saved: [...replica.saved()].map(({ order }) => order),
  }
}

/** What the next write builds on; the order of elements says nothing. */
function contentOf({ live, clocks, tails, removed }: EntityContent): unknown {
  return {
    live: live.map((element) => JSON.stringify(element)).sort(),
    clocks: [...clocks].sort(),
    tails: [...tails].sort(),
    removed: [...removed].map((removal) => JSON.stringify(removal)).sort(),
  }
}

describe('the replica', () => {
  test('knows what a write builds on, of however many entities that were written to', () => {
    const device = new Device()
    const ids = Array.from({ length: 200 }, (_, index) => `card${index}`)
    for (const value of ['x', 'y', 'z']) {
      for (const id of ids)
        device.play({ type: 'write', ids: [id], field: 'title', value, elsewhere: false })
      const { replica, entities, saved } = device
      expect(show(replica)).toEqual(show(replicaOf(entities, saved, replica.unsaved())))
    }
  })

  test('shows after any course what a tab shows that has just read the disk', () => {
    const happened = new Set<string>()
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (script) => {
        const device = new Device()
        for (const next of script) {
          device.play(next)
          const { replica, entities, saved } = device
          expect(show(replica)).toEqual(show(replicaOf(entities, saved, replica.unsaved())))
        }
        for (const what of device.happened) happened.add(what)
      }),
      { seed: SEED, numRuns: 300 },
    )
    expect([...happened].sort()).toEqual([
      'confirm',
      'discard',
      'reject',
      'remote',
      'save',
      'unstage',
      'write',
      'write elsewhere',
    ])
  })

  test('tells of every entity that shows something else, at once', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (script) => {
        const device = new Device()
        let told = new Set<EntityKey>()
        device.replica.subscribe((changed) => {
          told = new Set([...told, ...changed])
        })
        const shown = (): Map<string, string> =>
          new Map(
            IDS.map((id) => {
              const entity = device.replica.entity({ collection: 'cards', id })
              return [
                `cards/${id}`,
                JSON.stringify([
                  entity?.view,
                  entity?.sequence,
                  entity?.pending.map((operation) => operation.id),
                  entity?.failed.map((operation) => operation.id),
                  entity?.confirmed?.confirmedSequence,
                ]),
              ]
            }),
          )
        for (const next of script) {
          const before = shown()
          told = new Set()
          device.play(next)
          for (const [key, after] of shown())
            if (after !== before.get(key)) expect(told).toContain(key)
        }
      }),
      { seed: SEED, numRuns: 300 },
    )
  })

  test('[L9] keeps the order of the outbox when what another tab saved before comes later', () => {
    const disk = new Device()
    for (const value of ['x', 'y', 'z'])
      disk.play({ type: 'write', ids: ['a'], field: 'title', value, elsewhere: true })
    const [first, second, third] = [...disk.saved.values()] as [
      StoredOperation,
      StoredOperation,
      StoredOperation,
    ]
    const replica = createReplica()
    for (const rows of [[second], [third, first]])
      replica.absorb({ entities: [], operations: rows, gone: [] })
    expect(show(replica)).toEqual(show(replicaOf(new Map(), disk.saved, [])))
    expect([...replica.saved()]).toEqual([first, second, third])
  })

  test('says nothing when operations are saved as they are', () => {
    const device = new Device()
    device.play({ type: 'write', ids: ['a'], field: 'title', value: 'x', elsewhere: false })
    let calls = 0
    const stop = device.replica.subscribe(() => {
      calls += 1
    })
    const { view } = device.replica.entity({ collection: 'cards', id: 'a' }) ?? {}
    device.play({ type: 'save', count: 1 })
    expect(calls).toBe(0)
    expect(device.replica.entity({ collection: 'cards', id: 'a' })?.view).toBe(view)
    stop()
    device.play({ type: 'remote', id: 'a' })
    expect(calls).toBe(0)
  })
})
