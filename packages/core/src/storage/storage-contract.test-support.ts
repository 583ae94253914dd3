import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { MovedText, StoredOperation, StoredSnapshot } from '../replica/index.js'
import { NEW_SPACE, type ReplicaStorage, type WritePlan } from './port.js'
import { followModel, transactions } from './storage-model.test-support.js'
import {
  entityRow,
  operationRow,
  plainEntity,
  plainOperation,
  plainRows,
} from './stored-rows.test-support.js'

const SEED = 20261120

const moved: MovedText = {
  entity: 'cards/a',
  from: { client: 7, clock: 0 },
  to: { client: 9, clock: 3 },
  length: 2,
}

/** One device: a disk, and tabs that share it. */
export interface Device {
  /** Another connection to the device's database. */
  tab(): ReplicaStorage
  dispose(): Promise<void>
}

/** What every local storage must do (the contract in `port.ts`). */
export function describeStorageContract(name: string, makeDevice: () => Promise<Device>): void {
  async function start(): Promise<{ device: Device; tab: ReplicaStorage; other: ReplicaStorage }> {
    const device = await makeDevice()
    onTestFinished(() => device.dispose())
    return { device, tab: device.tab(), other: device.tab() }
  }

  async function opened(): Promise<{ device: Device; tab: ReplicaStorage; other: ReplicaStorage }> {
    const started = await start()
    await started.tab.open('team', () => 'replica-1')
    await started.other.open('team', () => 'replica-2')
    return started
  }

  describe(`the storage contract, kept by ${name}`, () => {
    describe('opening', () => {
      test('a new device gets its identity once and keeps it over a restart', async () => {
        const { device, tab } = await start()
        const first = await tab.open('team', () => 'replica-1')
        expect(first).toEqual({
          meta: { replica: 'replica-1', change: 0, rebases: 0, clients: [], moves: [] },
          space: NEW_SPACE,
          entities: [],
          operations: [],
        })
        tab.close()
        const again = await device.tab().open('team', () => 'replica-2')
        expect(again.meta).toEqual(first.meta)
      })

      test('two tabs that open a new device at once agree on one identity', async () => {
        const { tab, other } = await start()
        let made = 0
        const identity = (): string => {
          made += 1
          return `replica-${made}`
        }
        const rows = await Promise.all([tab.open('team', identity), other.open('team', identity)])
        expect(made).toBe(1)
        expect(rows.map(({ meta }) => meta.replica)).toEqual(['replica-1', 'replica-1'])
      })

      test('another tab, and the same one after closing, read what was written', async () => {
        const { tab, other } = await opened()
        const written = await tab.write('team', {}, () => ({
          meta: { rebases: 3, clients: [7, 9], moves: [moved] },
          space: { epoch: 'e-1', checkpoint: 12, lastSyncedAt: 1_790_000_000_000 },
          putEntities: [entityRow('a')],
          addOperations: [operationRow('one'), operationRow('two')],
        }))
        tab.close()
        for (const reader of [tab, other]) {
          const rows = await reader.open('team', () => 'never')
          expect(plainRows(rows)).toEqual({
            meta: { replica: 'replica-1', change: 1, rebases: 3, clients: [7, 9], moves: [moved] },
            space: {
              ...NEW_SPACE,
              epoch: 'e-1',
              checkpoint: 12,
              lastSyncedAt: 1_790_000_000_000,
            },
            entities: [entityRow('a')],
            operations: written.operations,
          })
        }
      })

      test('[L9] gives the outbox in its order', async () => {
        const { tab, other } = await opened()
        await tab.write('team', {}, () => ({
          addOperations: [operationRow('z'), operationRow('a')],
        }))
        await tab.write('team', {}, () => ({ addOperations: [operationRow('m')] }))
        const { operations } = await other.open('team', () => 'never')
        expect(operations.map(({ id }) => id)).toEqual(['z', 'a', 'm'])
      })

      test('destroying deletes everything, and the next device is a new one', async () => {
        const { device, tab } = await opened()
        await tab.write('team', {}, () => ({
          putEntities: [entityRow('a')],
          addOperations: [operationRow('one')],
        }))
        await tab.destroy()
        const rows = await device.tab().open('team', () => 'replica-3')
        expect(rows).toEqual({
          meta: { replica: 'replica-3', change: 0, rebases: 0, clients: [], moves: [] },
          space: NEW_SPACE,
          entities: [],
          operations: [],
        })
      })
    })

    describe('transactions', () => {
      test('[L22] [L23] remove entities, and count that they did so that other tabs notice', async () => {
        const { tab, other } = await opened()
        await tab.write('team', {}, () => ({
          putEntities: [entityRow('a'), entityRow('b'), entityRow('c')],
        }))
        const gone = { collection: 'cards', id: 'b' }
        const written = await tab.write('team', {}, () => ({
          removeEntities: [gone],
          putEntities: [entityRow('a', { owed: { id: 'op', isAsked: true } })],
        }))
        expect(written).toMatchObject({ removed: [gone], space: { removals: 1 } })
        const all = await other.readSince('team', -1)
        const rows = new Map(all.entities.map((row) => [row.id, row]))
        expect([...rows.keys()].sort()).toEqual(['a', 'c'])
        expect(rows.get('a')?.owed).toEqual({ id: 'op', isAsked: true })
        expect(all.space).toEqual({ ...NEW_SPACE, removals: 1 })
        const { space } = await tab.write('team', {}, () => ({ space: { checkpoint: 9 } }))
        expect(space).toEqual({ ...NEW_SPACE, checkpoint: 9, removals: 1 })
      })

      test('show the rows that were asked for, in that order, and undefined where there is none', async () => {
        const { tab, other } = await opened()
        const { operations } = await tab.write('team', {}, () => ({
          space: { checkpoint: 4 },
          putEntities: [entityRow('a'), entityRow('b')],
          addOperations: [operationRow('one'), operationRow('two')],
        }))
        const [one, two] = operations as [StoredOperation, StoredOperation]
        const read = {
          entities: ['b', 'missing', 'a'].map((id) => ({ collection: 'cards', id })),
          operations: [two.order, 4711, one.order],
        }
        await other.write('team', read, (current) => {
          expect(current.meta).toMatchObject({ replica: 'replica-1', change: 1 })
          expect(current.space).toEqual({ ...NEW_SPACE, checkpoint: 4 })
          expect(current.entities.map((row) => row && plainEntity(row))).toEqual([
            entityRow('b'),
            undefined,
            entityRow('a'),
          ])
          expect(current.operations.map((row) => row && plainOperation(row))).toEqual([
            two,
            undefined,
            one,
          ])
          return {}
        })
        expect.assertions(4)
      })

      test('tell what they wrote', async () => {
        const { tab } = await opened()
        const before = await tab.write('team', {}, () => ({
          addOperations: [operationRow('one'), operationRow('two')],
        }))
        const [one, two] = before.operations as [StoredOperation, StoredOperation]
        const failure = { code: 'forbidden', message: 'No.' }
        const written = await tab.write('team', {}, () => ({
          meta: { rebases: 1 },
          space: { checkpoint: 2 },
          putEntities: [entityRow('a')],
          addOperations: [operationRow('three')],
          putOperations: [{ ...two, failure }],
          deleteOperations: [one.order],
        }))
        expect(written.committed).toBe(true)
        expect(written.meta).toEqual({
          replica: 'replica-1',
          change: 2,
          rebases: 1,
          clients: [],
          moves: [],
        })
        expect(written.space).toEqual({ ...NEW_SPACE, checkpoint: 2 })
        expect(written.gone).toEqual([one.order])
        expect(plainRows(written)).toMatchObject({
          entities: [entityRow('a')],
          operations: [
            { ...two, failure },
            { id: 'three', order: two.order + 1 },
          ],
        })
      })

      test('are serialisable over all tabs: no increment is lost', async () => {
        const { tab, other } = await opened()
        const increment = (storage: ReplicaStorage) =>
          storage.write(
            'team',
            { entities: [{ collection: 'cards', id: 'a' }] },
            ({ space, entities: [row] }) => ({
              space: { checkpoint: space.checkpoint + 1 },
              putEntities: [entityRow('a', { sequence: (row?.sequence ?? 0) + 1 })],
            }),
          )
        const written = await Promise.all(
          Array.from({ length: 40 }, (_, index) => increment(index % 3 === 0 ? other : tab)),
        )
        const rows = await tab.open('team', () => 'never')
        expect(rows.space.checkpoint).toBe(40)
        expect(rows.entities[0]?.sequence).toBe(40)
        expect(rows.meta.change).toBe(40)
        expect(new Set(written.map(({ meta }) => meta.change)).size).toBe(40)
      })

      test('[L11] are serialisable also where a decision rests on rows that it does not write', async () => {
        const { tab, other } = await opened()
        // Either the rebase comes first and the addition finds it, or the addition is there for the rebase to see.
        const addition = other.write(
          'team',
          {},
          ({ meta }): WritePlan =>
            meta.rebases === 0 ? { addOperations: [operationRow('one')] } : {},
        )
        const rebase = tab.write('team', { operations: [1] }, ({ operations: [seen] }) => ({
          meta: { rebases: seen === undefined ? 1 : 2 },
        }))
        const [added, rebased] = await Promise.all([addition, rebase])
        expect(rebased.meta.rebases).toBe(added.committed ? 2 : 1)
      })

      test('call decide once, synchronously with what it decides upon', async () => {
        const { tab, other } = await opened()
        let calls = 0
        const running: string[] = []
        const slow = (storage: ReplicaStorage, label: string) =>
          storage.write('team', {}, ({ space }) => {
            calls += 1
            running.push(`${label}${space.checkpoint}`)
            return { space: { checkpoint: space.checkpoint + 1 } }
          })
        await Promise.all([slow(tab, 'a'), slow(other, 'b'), slow(tab, 'c'), slow(other, 'd')])
        expect(calls).toBe(4)
        expect(running.map((entry) => entry.slice(1))).toEqual(['0', '1', '2', '3'])
      })

      test('hand what decide throws to the caller as it is, and write nothing', async () => {
        const { tab, other } = await opened()
        await tab.write('team', {}, () => ({ addOperations: [operationRow('one')] }))
        const before = plainRows(await other.open('team', () => 'never'))
        const refusal = new Error('changed my mind')
        await expect(
          tab.write('team', {}, () => {
            throw refusal
          }),
        ).rejects.toBe(refusal)
        expect(plainRows(await other.open('team', () => 'never'))).toEqual(before)
        const written = await tab.write('team', {}, () => ({ space: { checkpoint: 1 } }))
        expect(written.meta.change).toBe(2)
      })

      test.for<[string, WritePlan]>([
        ['{}', {}],
        [
          'empty lists',
          { putEntities: [], addOperations: [], putOperations: [], deleteOperations: [] },
        ],
      ])(
        'write nothing for an empty plan (%s), and tell what other tabs made of it',
        async ([, plan]) => {
          const { tab, other } = await opened()
          await other.write('team', {}, () => ({
            meta: { rebases: 5 },
            space: { checkpoint: 3 },
            addOperations: [operationRow('one')],
          }))
          const before = plainRows(await other.open('team', () => 'never'))
          expect(await tab.write('team', {}, () => plan)).toEqual({
            committed: false,
            meta: { replica: 'replica-1', change: 1, rebases: 5, clients: [], moves: [] },
            space: { ...NEW_SPACE, checkpoint: 3 },
            entities: [],
            operations: [],
            gone: [],
            removed: [],
          })
          expect(plainRows(await other.open('team', () => 'never'))).toEqual(before)
        },
      )

      test('are visible to every tab once their promise resolves', async () => {
        const { tab, other } = await opened()
        for (let change = 1; change <= 5; change++) {
          await tab.write('team', {}, () => ({ addOperations: [operationRow(`op-${change}`)] }))
          const { meta, operations } = await other.readSince('team', change - 1)
          expect(meta.change).toBe(change)
          expect(operations.map(({ id }) => id)).toEqual([`op-${change}`])
        }
      })
    })

    describe('orders', () => {
      test('[L9] go up with each commit, in the order given, over all tabs and spaces', async () => {
        const { tab, other } = await opened()
        const orders: number[] = []
        for (let round = 0; round < 4; round++) {
          const [storage, space] = round % 2 === 0 ? [tab, 'team'] : [other, 'elsewhere']
          const { operations } = await storage.write(space, {}, () => ({
            addOperations: ['x', 'y', 'z'].map((letter) => operationRow(`${letter}${round}`)),
          }))
          expect(operations.map(({ id }) => id)).toEqual([`x${round}`, `y${round}`, `z${round}`])
          orders.push(...operations.map(({ order }) => order))
        }
        expect(orders).toEqual([...new Set(orders)].sort((a, b) => a - b))
      })

      test('are never used twice, also after the outbox was emptied and the tab reopened', async () => {
        const { device, tab } = await opened()
        const used: number[] = []
        let storage = tab
        for (let life = 0; life < 3; life++) {
          const { operations } = await storage.write('team', {}, () => ({
            addOperations: [operationRow(`one-${life}`), operationRow(`two-${life}`)],
          }))
          used.push(...operations.map(({ order }) => order))
          await storage.write('team', {}, () => ({
            deleteOperations: operations.map(({ order }) => order),
          }))
          storage.close()
          storage = device.tab()
          expect((await storage.open('team', () => 'never')).operations).toEqual([])
        }
        expect(used).toEqual([...new Set(used)].sort((a, b) => a - b))
      })

      test('stay with an operation that is put again', async () => {
        const { tab, other } = await opened()
        const { operations } = await tab.write('team', {}, () => ({
          addOperations: [operationRow('one'), operationRow('two')],
        }))
        const [one, two] = operations as [StoredOperation, StoredOperation]
        const parked = { ...one, failure: { code: 'invalid', message: 'No title.' } }
        await other.write('team', {}, () => ({ putOperations: [parked] }))
        const rows = plainRows(await tab.open('team', () => 'never'))
        expect(rows.operations).toEqual([parked, two])
      })
    })

    describe('snapshots', () => {
      const snapshot = (id: string): StoredSnapshot => ({
        id,
        label: 'before',
        takenAt: 1_790_000_000_000,
        usedAt: 1_790_000_000_001,
        view: entityRow('one').view,
      })

      test('are kept by space and entity, and are there for other tabs and after a restart', async () => {
        const { tab, other } = await opened()
        expect(await tab.snapshots('team', 'cards/a')).toEqual([])
        await tab.snapshots('team', 'cards/a', (current) => [...current, snapshot('1')])
        const both = await other.snapshots('team', 'cards/a', (current) => [
          ...current,
          snapshot('2'),
        ])
        expect(both).toEqual([snapshot('1'), snapshot('2')])
        tab.close()
        expect(await tab.snapshots('team', 'cards/a')).toEqual(both)
        expect(await tab.snapshots('team', 'cards/b')).toEqual([])
        expect(await tab.snapshots('other', 'cards/a')).toEqual([])
      })

      test('of two tabs at once are all kept', async () => {
        const { tab, other } = await opened()
        await Promise.all(
          ['1', '2', '3', '4'].map((id, index) =>
            [tab, other][index % 2]?.snapshots('team', 'cards/a', (current) => [
              ...current,
              snapshot(id),
            ]),
          ),
        )
        const kept = await tab.snapshots('team', 'cards/a')
        expect(kept.map(({ id }) => id).sort()).toEqual(['1', '2', '3', '4'])
      })

      test('stay as they are when the change throws, and go with the database', async () => {
        const { tab } = await opened()
        await tab.snapshots('team', 'cards/a', () => [snapshot('1')])
        const refusing = tab.snapshots('team', 'cards/a', () => {
          throw new Error('no')
        })
        await expect(refusing).rejects.toThrow('no')
        expect(await tab.snapshots('team', 'cards/a')).toEqual([snapshot('1')])
        await tab.destroy()
        await tab.open('team', () => 'replica-2')
        expect(await tab.snapshots('team', 'cards/a')).toEqual([])
      })
    })

    describe('reading what changed', () => {
      test('gives exactly the rows that later transactions wrote, and all orders that are there', async () => {
        const { tab, other } = await opened()
        const first = await tab.write('team', {}, () => ({
          putEntities: [entityRow('a'), entityRow('b')],
          addOperations: [operationRow('one'), operationRow('two'), operationRow('three')],
        }))
        const [one, two, three] = first.operations as [
          StoredOperation,
          StoredOperation,
          StoredOperation,
        ]
        const since = first.meta.change
        const changed = entityRow('b', { sequence: 2, bytes: new Uint8Array([9]) })
        const parked = { ...two, failure: { code: 'gone', message: 'Purged.' } }
        await tab.write('team', {}, () => ({ putEntities: [changed] }))
        await other.write('team', {}, () => ({
          space: { checkpoint: 9 },
          putOperations: [parked],
          deleteOperations: [one.order],
        }))
        const rows = plainRows(await other.readSince('team', since))
        expect(rows).toEqual({
          meta: { replica: 'replica-1', change: since + 2, rebases: 0, clients: [], moves: [] },
          space: { ...NEW_SPACE, checkpoint: 9 },
          entities: [changed],
          operations: [parked],
          orders: expect.anything(),
        })
        expect([...rows.orders].sort((a, b) => a - b)).toEqual([two.order, three.order])
        const nothing = await tab.readSince('team', since + 2)
        expect([nothing.entities, nothing.operations]).toEqual([[], []])
      })

      test('does not mix spaces', async () => {
        const { tab } = await opened()
        const { operations } = await tab.write('team', {}, () => ({
          space: { checkpoint: 1 },
          putEntities: [entityRow('a', { sequence: 1 })],
          addOperations: [operationRow('one')],
        }))
        // Names that sort right behind, and that hold the separators of compound keys.
        for (const space of ['team ', 'team/cards', 'tea', 'team\u0000', 'team-2']) {
          expect(await tab.open(space, () => 'never')).toMatchObject({
            space: NEW_SPACE,
            entities: [],
            operations: [],
          })
          await tab.write(space, { entities: [{ collection: 'cards', id: 'a' }] }, (current) => {
            expect(current.entities).toEqual([undefined])
            expect(current.space).toEqual(NEW_SPACE)
            return {
              space: { checkpoint: 99 },
              putEntities: [entityRow('a', { sequence: 99 })],
              addOperations: [operationRow(`in ${space}`)],
            }
          })
        }
        const rows = plainRows(await tab.readSince('team', 0))
        expect(rows.space.checkpoint).toBe(1)
        expect(rows.entities).toEqual([entityRow('a', { sequence: 1 })])
        expect(rows.operations).toEqual(operations)
        expect(rows.orders).toEqual(operations.map(({ order }) => order))
        // The count of transactions is the device's, not the space's.
        expect(rows.meta.change).toBe(6)
      })
    })

    test('keeps bytes and values exactly', async () => {
      const { device, tab } = await opened()
      const every = Uint8Array.from({ length: 256 }, (_, index) => index)
      const nested = { list: [1, null, { deep: [[], {}] }], text: 'ä€😀 \u0000', no: false }
      const entity = entityRow('a', {
        bytes: every.subarray(16, 240),
        view: {
          values: {
            cleared: undefined,
            nothing: null,
            nested,
            zero: 0,
            pi: 3.14,
            far: 2 ** 53 - 1,
          },
          conflicts: {
            title: [
              { value: nested, actor: 'ada/r/1', lastModified: 2 },
              { value: undefined, actor: 'bob/r/2', lastModified: 1 },
            ],
          },
          shared: { notes: 'a text', steps: [nested] },
          sequence: 3,
          lastModified: 2,
        },
      })
      const operation = operationRow('one', {}, nested)
      const cleared = operationRow('two', { failure: { code: 'x', message: '' } }, undefined)
      await tab.write('team', {}, () => ({
        putEntities: [entity, entityRow('empty', { bytes: new Uint8Array() })],
        addOperations: [operation, cleared],
      }))
      tab.close()
      const rows = plainRows(await device.tab().open('team', () => 'never'))
      expect(rows.entities).toStrictEqual([
        { ...entity, bytes: every.slice(16, 240) },
        entityRow('empty', { bytes: new Uint8Array() }),
      ])
      expect(rows.operations).toStrictEqual([
        { ...operation, order: rows.operations[0]?.order },
        { ...cleared, order: rows.operations[1]?.order },
      ])
    })

    test('follows a model over random transactions of two tabs in two spaces', async () => {
      await fc.assert(
        fc.asyncProperty(transactions, async (script) => {
          const device = await makeDevice()
          try {
            await followModel([device.tab(), device.tab()], script)
          } finally {
            await device.dispose()
          }
        }),
        { seed: SEED, numRuns: 25 },
      )
    })
  })
}
