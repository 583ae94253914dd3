import { describe, expect, it, onTestFinished } from 'vitest'
import type {
  EntityHead,
  EntityRef,
  RelayStorage,
  RelayTransaction,
  StoredOperation,
} from './port.js'

export interface StorageHarness {
  readonly storage: RelayStorage
  /** A storage on the same data, as after a restart. */
  reopen(): Promise<RelayStorage>
  /** Changes one bit of what is stored of the entity's snapshot or of its updates. */
  damage(space: string, ref: EntityRef, what: 'snapshot' | 'updates'): void
  dispose(): Promise<void>
}

const CARD: EntityRef = { collection: 'cards', id: 'one' }
const PLENTY = { maxEntities: 100, maxBytes: 1_000_000 }

/** What every storage of a relay must do (the contract in `port.ts`). */
export function describeStorageContract(name: string, open: () => Promise<StorageHarness>): void {
  async function start(): Promise<StorageHarness> {
    const harness = await open()
    onTestFinished(() => harness.dispose())
    return harness
  }

  describe(`the storage contract, kept by ${name}`, () => {
    it('[L22] keeps its epoch over a restart', async () => {
      const { storage, reopen } = await start()
      const epoch = await storage.epoch()
      expect(epoch).toMatch(/^[A-Za-z0-9-]{4,}$/)
      expect(await (await reopen()).epoch()).toBe(epoch)
    })

    it('gives back over a restart everything that a transaction wrote', async () => {
      const { storage, reopen } = await start()
      const operation = operationOf('op-1', 1)
      await storage.transaction(async (tx) => {
        expect(await tx.takeSequence('team')).toBe(1)
        await appendTo(tx, 'team', CARD, 1, [1, 2, 3])
        await tx.putOperation('team', operation)
      })
      const again = await reopen()
      expect(await again.head('team')).toBe(1)
      expect(await again.operations('team', ['op-0', 'op-1'])).toEqual([operation])
      expect(await again.entitiesSince('team', 0, PLENTY)).toEqual({
        entities: [
          {
            ref: CARD,
            head: headOf({ sequence: 1, logBytes: 3, logLength: 1 }),
            log: [bytes(1, 2, 3)],
          },
        ],
        corrupt: [],
        through: 1,
        complete: true,
      })
    })

    it('leaves nothing behind of a transaction that throws', async () => {
      const { storage, reopen } = await start()
      await storage.transaction(async (tx) =>
        appendTo(tx, 'team', CARD, await tx.takeSequence('team'), [1]),
      )
      const failure = new Error('changed my mind')
      const failed = storage.transaction(async (tx) => {
        const sequence = await tx.takeSequence('team')
        await appendTo(tx, 'team', CARD, sequence, [2])
        await appendTo(tx, 'other', CARD, await tx.takeSequence('other'), [2])
        await tx.putSnapshot('team', CARD, bytes(9))
        await tx.putOperation('team', operationOf('op-2', sequence))
        throw failure
      })
      await expect(failed).rejects.toBeInstanceOf(Error)
      for (const view of [storage, await reopen()]) {
        expect(await view.head('team')).toBe(1)
        expect(await view.head('other')).toBe(0)
        expect(await view.operations('team', ['op-2'])).toEqual([])
        const { entities } = await view.entitiesSince('team', 0, PLENTY)
        expect(entities.map(({ log }) => log)).toEqual([[bytes(1)]])
      }
    })

    it('shows a transaction its own writes', async () => {
      const { storage } = await start()
      await storage.transaction(async (tx) => {
        const head = headOf({ sequence: 1, logBytes: 2, logLength: 1 })
        expect(await tx.entityHead('team', CARD)).toBeUndefined()
        expect(await tx.operation('team', 'op-1')).toBeUndefined()
        await appendTo(tx, 'team', CARD, await tx.takeSequence('team'), [1, 1])
        await tx.putOperation('team', operationOf('op-1', 1))
        expect(await tx.entityHead('team', CARD)).toEqual(head)
        expect(await tx.entityLog('team', CARD, head)).toEqual([bytes(1, 1)])
        expect(await tx.operation('team', 'op-1')).toEqual(operationOf('op-1', 1))
        expect(await tx.takeSequence('team')).toBe(2)
      })
    })

    it('shows other readers committed state only, in the order of the calls', async () => {
      const { storage } = await start()
      const first = storage.transaction(async (tx) => {
        await appendTo(tx, 'team', CARD, await tx.takeSequence('team'), [1])
      })
      const between = storage.head('team')
      const second = storage.transaction((tx) => tx.takeSequence('team'))
      await first
      expect(await between).toBe(1)
      expect(await second).toBe(2)
      expect(await storage.head('team')).toBe(2)
    })

    it('[L18] runs transactions one at a time, so that sequences have no gap', async () => {
      const { storage } = await start()
      const taken = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          storage
            .transaction(async (tx) => {
              const sequence = await tx.takeSequence('team')
              if (index % 3 === 0) throw new Error('no')
              return sequence
            })
            .catch(() => undefined),
        ),
      )
      const kept = taken.filter((sequence) => sequence !== undefined)
      expect(kept).toEqual(kept.map((_, index) => index + 1))
    })

    it('counts the sequences of each space by itself', async () => {
      const { storage } = await start()
      await storage.transaction(async (tx) => {
        await tx.takeSequence('team')
        await tx.takeSequence('team')
        expect(await tx.takeSequence('other')).toBe(1)
      })
      expect(await storage.head('team')).toBe(2)
      expect(await storage.head('nobody-wrote-here')).toBe(0)
    })

    it('[L18] goes on after the last of several sequences that one transaction took, unless it failed', async () => {
      const { storage } = await start()
      const take = (count: number, fails = false) =>
        storage.transaction(async (tx) => {
          for (let left = count; left > 1; left--) await tx.takeSequence('team')
          const last = await tx.takeSequence('team')
          if (fails) throw new Error('on purpose')
          return last
        })
      expect(await take(3)).toBe(3)
      await expect(take(2, true)).rejects.toThrow()
      expect(await storage.head('team')).toBe(3)
      expect(await take(2)).toBe(5)
      expect(await take(1)).toBe(6)
      expect(await storage.head('team')).toBe(6)
    })

    it('puts a snapshot in the place of everything before', async () => {
      const { storage } = await start()
      await storage.transaction(async (tx) => {
        await appendTo(tx, 'team', CARD, await tx.takeSequence('team'), [1])
        await appendTo(tx, 'team', { ...CARD, id: 'two' }, await tx.takeSequence('team'), [2])
      })
      await storage.transaction(async (tx) => {
        expect([await tx.takeSequence('team'), await tx.takeSequence('team')]).toEqual([3, 4])
        await tx.putSnapshot('team', CARD, bytes(7, 7))
        await tx.putEntityHead('team', CARD, headOf({ sequence: 3, snapshotBytes: 2 }))
        await tx.appendUpdate('team', CARD, 4, bytes(8))
        await tx.putEntityHead(
          'team',
          CARD,
          headOf({ sequence: 4, snapshotBytes: 2, logBytes: 1, logLength: 1 }),
        )
      })
      const { entities } = await storage.entitiesSince('team', 0, PLENTY)
      expect(entities.map(({ ref, log }) => [ref.id, log])).toEqual([
        ['two', [bytes(2)]],
        ['one', [bytes(7, 7), bytes(8)]],
      ])
    })

    describe('pages', () => {
      async function fill(storage: RelayStorage, sequences: readonly number[]): Promise<void> {
        await storage.transaction(async (tx) => {
          for (const [index, sequence] of sequences.entries()) {
            while ((await tx.takeSequence('team')) < sequence);
            await appendTo(tx, 'team', { collection: 'cards', id: `card-${index}` }, sequence, [
              index,
            ])
          }
        })
      }

      async function walk(storage: RelayStorage, maxEntities: number, maxBytes: number) {
        const pages: number[][] = []
        let since = 0
        for (;;) {
          const page = await storage.entitiesSince('team', since, { maxEntities, maxBytes })
          pages.push(page.entities.map(({ head }) => head.sequence))
          expect(page.through).toBeGreaterThanOrEqual(since)
          since = page.through
          if (page.complete) return { pages, through: since }
        }
      }

      it('come in the order of sequences, and the last one ends at the head', async () => {
        const { storage } = await start()
        await fill(storage, [1, 2, 4, 5, 7])
        await storage.transaction((tx) => tx.takeSequence('team'))
        const { pages, through } = await walk(storage, 2, 1_000)
        expect(pages.flat()).toEqual([1, 2, 4, 5, 7])
        expect(pages.length).toBeGreaterThan(2)
        expect(through).toBe(await storage.head('team'))
      })

      it('end at the limit of bytes, with one entity at least', async () => {
        const { storage } = await start()
        await fill(storage, [1, 2, 3])
        const { pages } = await walk(storage, 100, 1)
        expect(pages.filter((page) => page.length > 0)).toEqual([[1], [2], [3]])
      })

      it('[L21] never split the entities of one sequence', async () => {
        const { storage } = await start()
        await storage.transaction(async (tx) => {
          for (const size of [1, 4, 1]) {
            const sequence = await tx.takeSequence('team')
            for (let index = 0; index < size; index++) {
              const ref = { collection: 'cards', id: `card-${sequence}-${index}` }
              await appendTo(tx, 'team', ref, sequence, [1])
            }
          }
        })
        for (const [maxEntities, maxBytes] of [
          [2, 1_000],
          [3, 1_000],
          [100, 2],
        ] as const) {
          const { pages } = await walk(storage, maxEntities, maxBytes)
          expect(pages.flat()).toEqual([1, 2, 2, 2, 2, 3])
          expect(pages.filter((page) => page.includes(2))).toHaveLength(1)
        }
      })

      it('show an entity once, at its last sequence', async () => {
        const { storage } = await start()
        await storage.transaction(async (tx) => {
          await appendTo(tx, 'team', CARD, await tx.takeSequence('team'), [1])
        })
        await storage.transaction(async (tx) => {
          const sequence = await tx.takeSequence('team')
          await tx.appendUpdate('team', CARD, sequence, bytes(2))
          await tx.putEntityHead('team', CARD, headOf({ sequence, logBytes: 2, logLength: 2 }))
        })
        expect((await storage.entitiesSince('team', 0, PLENTY)).entities).toHaveLength(1)
        expect((await storage.entitiesSince('team', 1, PLENTY)).entities).toHaveLength(1)
        expect((await storage.entitiesSince('team', 2, PLENTY)).entities).toHaveLength(0)
      })

      it('are counted with what the transaction has written, by space and in all', async () => {
        const { storage } = await start()
        expect(await storage.totals()).toEqual({ spaces: 0, entities: 0 })
        const head = headOf({ sequence: 1 })
        for (const [space, ids] of [
          ['team', ['a', 'b']],
          ['other', ['a']],
        ] as const) {
          await storage.transaction(async (tx) => {
            await tx.takeSequence(space)
            for (const id of ids) await tx.putEntityHead(space, { ...CARD, id }, head)
            expect(await tx.entityCount(space)).toBe(ids.length)
            expect(await tx.entityCount('nobody')).toBe(0)
          })
        }
        expect(await storage.totals()).toEqual({ spaces: 2, entities: 3 })
      })

      it('of a space that nobody wrote to are empty and complete', async () => {
        const { storage } = await start()
        expect(await storage.entitiesSince('nobody', 0, PLENTY)).toEqual({
          entities: [],
          corrupt: [],
          through: 0,
          complete: true,
        })
      })
    })

    it.each(['snapshot', 'updates'] as const)(
      '[DUR-9] never serves an entity with a flipped bit in its %s, and still serves the others',
      async (what) => {
        const { storage, damage } = await start()
        const other = { ...CARD, id: 'other' }
        const sizes = { snapshotBytes: 3, logBytes: 3, logLength: 1 }
        await storage.transaction(async (tx) => {
          for (const ref of [CARD, other]) {
            const sequence = await tx.takeSequence('team')
            await tx.putSnapshot('team', ref, bytes(1, 2, 3))
            await tx.appendUpdate('team', ref, sequence, bytes(4, 5, 6))
            await tx.putEntityHead('team', ref, headOf({ sequence, ...sizes }))
          }
        })
        damage('team', CARD, what)
        const page = await storage.entitiesSince('team', 0, PLENTY)
        expect(page.entities.map(({ ref }) => ref)).toEqual([other])
        expect(page.corrupt).toEqual([CARD])
        expect(page).toMatchObject({ through: 2, complete: true })
        const read = storage.transaction((tx) =>
          tx.entityLog('team', CARD, headOf({ sequence: 1, ...sizes })),
        )
        await expect(read).rejects.toMatchObject({ code: 'corrupt' })
      },
    )

    it('[DUR-9] notices that an update is missing', async () => {
      const { storage } = await start()
      const head = headOf({ sequence: 1, logBytes: 2, logLength: 2 })
      await storage.transaction(async (tx) => {
        await tx.appendUpdate('team', CARD, await tx.takeSequence('team'), bytes(1))
        await tx.putEntityHead('team', CARD, head)
      })
      expect((await storage.entitiesSince('team', 0, PLENTY)).corrupt).toEqual([CARD])
    })

    it('[DEL-5] finds tombstones by their age, in the order of their sequences', async () => {
      const { storage, reopen } = await start()
      const card = (id: string): EntityRef => ({ ...CARD, id })
      await storage.transaction(async (tx) => {
        for (const [id, sequence, tombstoneAt] of [
          ['later', 3, 2_000],
          ['alive', 2, null],
          ['first', 1, 1_000],
        ] as const) {
          await tx.takeSequence('team')
          await tx.putEntityHead('team', card(id), headOf({ sequence, tombstoneAt }))
        }
      })
      const again = await reopen()
      expect(await again.spacesWithTombstones(1_000)).toEqual([])
      expect(await again.spacesWithTombstones(1_001)).toEqual(['team'])
      await again.transaction(async (tx) => {
        const [first, later] = await tx.tombstones('team', 2)
        expect(first).toEqual({ ref: card('first'), sequence: 1, at: 1_000 })
        expect(later).toEqual({ ref: card('later'), sequence: 3, at: 2_000 })
        expect(await tx.tombstones('team', 1)).toEqual([first])
        expect(await tx.tombstones('other', 2)).toEqual([])
      })
    })

    it('[DEL-5] removes everything of an entity, and nothing else', async () => {
      const { storage, reopen } = await start()
      const other = { ...CARD, id: 'two' }
      await storage.transaction(async (tx) => {
        await appendTo(tx, 'team', CARD, await tx.takeSequence('team'), [1])
        await tx.putSnapshot('team', CARD, bytes(7))
        await appendTo(tx, 'team', CARD, await tx.takeSequence('team'), [2])
        await appendTo(tx, 'team', other, await tx.takeSequence('team'), [3])
      })
      await storage.transaction(async (tx) => {
        await tx.deleteEntity('team', CARD)
        expect(await tx.entityHead('team', CARD)).toBeUndefined()
        await tx.setHorizon('team', 2)
        await tx.setHorizon('team', 1)
      })
      const again = await reopen()
      expect(await again.horizon('team')).toBe(2)
      expect(await again.horizon('other')).toBe(0)
      const page = await again.entitiesSince('team', 0, PLENTY)
      expect(page).toMatchObject({ entities: [{ ref: other }], corrupt: [], through: 3 })
      await again.transaction(async (tx) => {
        await appendTo(tx, 'team', CARD, await tx.takeSequence('team'), [9])
      })
      const [, anew] = (await again.entitiesSince('team', 0, PLENTY)).entities
      expect(anew?.log).toEqual([bytes(9)])
    })

    it('[L10] forgets the oldest operations, a few at a time', async () => {
      const { storage, reopen } = await start()
      await storage.transaction(async (tx) => {
        for (const [id, acceptedAt] of [
          ['op-1', 1],
          ['op-2', 2],
          ['op-3', 3],
        ] as const) {
          const sequence = await tx.takeSequence('team')
          await tx.putOperation('team', { ...operationOf(id, sequence), acceptedAt })
        }
      })
      expect(await storage.transaction((tx) => tx.pruneOperations(3, 1))).toBe(1)
      expect(await storage.transaction((tx) => tx.pruneOperations(3, 10))).toBe(1)
      expect(await storage.transaction((tx) => tx.pruneOperations(3, 10))).toBe(0)
      const left = await (await reopen()).operations('team', ['op-1', 'op-2', 'op-3'])
      expect(left.map(({ id }) => id)).toEqual(['op-3'])
    })

    it('takes a probe as a transaction like any other', async () => {
      const { storage } = await start()
      await expect(storage.transaction((tx) => tx.probe())).resolves.toBeUndefined()
    })
  })
}

export function bytes(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values)
}

export function headOf(overrides: Partial<EntityHead>): EntityHead {
  return {
    generation: '0',
    sequence: 0,
    versionSequence: 3,
    lastModified: Number.MAX_SAFE_INTEGER,
    clients: new Map([
      [1, { user: 'ada', replica: 'replica-a', clock: 4, tail: 3 }],
      [2 ** 32 - 1, { user: 'bo', replica: 'replica-b', clock: 0, tail: null }],
    ]),
    snapshotBytes: 0,
    logBytes: 0,
    logLength: 0,
    tombstoneAt: null,
    ...overrides,
  }
}

async function appendTo(
  tx: RelayTransaction,
  space: string,
  ref: EntityRef,
  sequence: number,
  update: readonly number[],
): Promise<void> {
  await tx.appendUpdate(space, ref, sequence, bytes(...update))
  await tx.putEntityHead(space, ref, headOf({ sequence, logBytes: update.length, logLength: 1 }))
}

function operationOf(id: string, sequence: number): StoredOperation {
  return {
    id,
    sequence,
    user: 'ada',
    replica: 'replica-a',
    digest: bytes(1, 2, 3, 4, 5, 6, 7, 8),
    acceptedAt: 1_700_000_000_000,
  }
}
