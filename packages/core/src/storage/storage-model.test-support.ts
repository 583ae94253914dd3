import fc from 'fast-check'
import { expect } from 'vitest'
import type { StoredOperation } from '../replica/index.js'
import type { ReplicaStorage, WritePlan } from './port.js'
import { entityRow, operationRow, plainOperation, plainRows } from './stored-rows.test-support.js'

const IDS = ['a', 'b', 'c'] as const

const transaction = fc.record({
  tab: fc.constantFrom<0 | 1>(0, 1),
  space: fc.constantFrom('team', 'team-2'),
  checkpoint: fc.option(fc.nat(100), { freq: 2 }),
  put: fc.uniqueArray(fc.constantFrom(...IDS), { maxLength: 3 }),
  add: fc.nat(3),
  /** Which of the operations that are there are put again or deleted. */
  again: fc.array(fc.nat(20), { maxLength: 2 }),
  drop: fc.array(fc.nat(20), { maxLength: 2 }),
  refuse: fc.boolean(),
  since: fc.nat(12),
})
export const transactions: fc.Arbitrary<Transaction[]> = fc.array(transaction, {
  minLength: 1,
  maxLength: 12,
})
type Transaction = typeof transaction extends fc.Arbitrary<infer T> ? T : never

interface ModelSpace {
  checkpoint: number
  readonly entities: Map<string, { readonly sequence: number; readonly change: number }>
  readonly operations: Map<number, { readonly row: StoredOperation; readonly change: number }>
}

/** Runs the script on both tabs and on a model; what they show must be the same after every step. */
export async function followModel(
  tabs: readonly [ReplicaStorage, ReplicaStorage],
  script: readonly Transaction[],
): Promise<void> {
  const model = new Map<string, ModelSpace>()
  let change = 0
  let greatest = 0
  await tabs[0].open('team', () => 'replica-1')
  for (const [step, { tab, space: name, ...what }] of script.entries()) {
    const space = model.get(name) ?? { checkpoint: 0, entities: new Map(), operations: new Map() }
    model.set(name, space)
    const orders = [...space.operations.keys()]
    const pick = (positions: readonly number[]): number[] =>
      orders.length === 0
        ? []
        : [...new Set(positions.map((position) => orders[position % orders.length] as number))]
    const drop = pick(what.drop)
    const again = pick(what.again).filter((order) => !drop.includes(order))
    const plan: WritePlan = {
      ...(what.checkpoint === null ? {} : { space: { checkpoint: what.checkpoint } }),
      putEntities: what.put.map((id) => entityRow(id, { sequence: step })),
      addOperations: Array.from({ length: what.add }, (_, index) =>
        operationRow(`${step}-${index}`),
      ),
      putOperations: again.map((order) => ({
        ...(space.operations.get(order)?.row as StoredOperation),
        createdAt: step,
      })),
      deleteOperations: drop,
    }
    const writing = tabs[tab].write(name, { operations: orders }, (current) => {
      expect(current.operations.map((row) => row && plainOperation(row))).toEqual(
        orders.map((order) => space.operations.get(order)?.row),
      )
      if (what.refuse) throw new Error('refused')
      return plan
    })
    if (what.refuse) {
      await expect(writing).rejects.toThrow('refused')
    } else {
      const written = await writing
      if (written.committed) change += 1
      expect(written.meta.change).toBe(change)
      if (what.checkpoint !== null) space.checkpoint = what.checkpoint
      for (const id of what.put) space.entities.set(id, { sequence: step, change })
      for (const order of drop) space.operations.delete(order)
      for (const row of written.operations.map(plainOperation)) {
        if (!again.includes(row.order)) expect(row.order).toBeGreaterThan(greatest)
        greatest = Math.max(greatest, row.order)
        space.operations.set(row.order, { row, change })
      }
    }
    for (const [other, { checkpoint, entities, operations }] of model) {
      const rows = plainRows(await tabs[step % 2 === 0 ? 0 : 1].readSince(other, what.since))
      expect(rows.space.checkpoint).toBe(checkpoint)
      expect(Object.fromEntries(rows.entities.map((row) => [row.id, row.sequence]))).toEqual(
        Object.fromEntries(
          [...entities]
            .filter(([, row]) => row.change > what.since)
            .map(([id, row]) => [id, row.sequence]),
        ),
      )
      expect(rows.operations).toEqual(
        [...operations.values()]
          .filter((entry) => entry.change > what.since)
          .map(({ row }) => row)
          .sort((a, b) => a.order - b.order),
      )
      expect([...rows.orders].sort((a, b) => a - b)).toEqual(
        [...operations.keys()].sort((a, b) => a - b),
      )
    }
  }
}
