import { expect, it } from 'vitest'
import {
  createMemoryDisk,
  createMemoryStorage,
  type EntityHead,
  type EntityRef,
} from '../storage/index.js'
import { createAwaitedCreates } from './awaited-creates.js'
import { createEntityHeads } from './entity-heads.js'

const head: EntityHead = {
  generation: '0',
  sequence: 1,
  versionSequence: 1,
  lastModified: 1,
  clients: new Map(),
  snapshotBytes: 0,
  logBytes: 0,
  logLength: 0,
  tombstoneAt: null,
}
const ref = (index: number): EntityRef => ({ collection: 'cards', id: `card-${index}` })

/** How often heads are read from the storage while `indexes` are looked up. */
async function countReads(
  heads: ReturnType<typeof createEntityHeads>,
  indexes: readonly number[],
  space = 'team',
): Promise<number> {
  let reads = 0
  const storage = createMemoryStorage({ disk: createMemoryDisk('epoch-1') })
  await storage.transaction(async (tx) => {
    const counting = {
      ...tx,
      async entityHead() {
        reads += 1
        return head
      },
    }
    const batch = heads.begin(counting)
    for (const index of indexes) await batch.get(space, ref(index))
  })
  return reads
}

it('keeps the heads that were used last, and no more of them than its capacity', async () => {
  const heads = createEntityHeads(3)
  expect(await countReads(heads, [1, 2, 3])).toBe(3)
  expect(await countReads(heads, [1, 2, 3])).toBe(0)
  expect(await countReads(heads, [1, 4])).toBe(1)
  expect(await countReads(heads, [1, 3, 4])).toBe(0)
  expect(await countReads(heads, [2])).toBe(1)
})

it('drops from the space that was used least recently first', async () => {
  const heads = createEntityHeads(4)
  await countReads(heads, [1, 2], 'first')
  await countReads(heads, [1, 2], 'second')
  expect(await countReads(heads, [1], 'first')).toBe(0)
  expect(await countReads(heads, [3], 'first')).toBe(1)
  expect(await countReads(heads, [1, 2, 3], 'first')).toBe(0)
  expect(await countReads(heads, [2], 'second')).toBe(0)
  expect(await countReads(heads, [1], 'second')).toBe(1)
})

it('keeps nothing of a space that was left, and has its room again', async () => {
  const heads = createEntityHeads(3)
  await countReads(heads, [1, 2], 'left')
  await countReads(heads, [1], 'team')
  heads.forget('left')
  expect(await countReads(heads, [1, 2, 3], 'team')).toBe(2)
  expect(await countReads(heads, [1, 2, 3], 'team')).toBe(0)
  expect(await countReads(heads, [1], 'left')).toBe(1)
})

it('sees the changes of a batch only after it was kept', async () => {
  const heads = createEntityHeads()
  const storage = createMemoryStorage({ disk: createMemoryDisk('epoch-1') })
  const changed = { ...head, sequence: 9 }
  await storage.transaction(async (tx) => {
    const lost = heads.begin(tx)
    lost.set('team', ref(1), changed)
    expect(await lost.get('team', ref(1))).toBe(changed)
    expect(await heads.begin(tx).get('team', ref(1))).toBeUndefined()
    heads.keep(lost)
    expect(await heads.begin(tx).get('team', ref(1))).toBe(changed)
    heads.clear()
    expect(await heads.begin(tx).get('team', ref(1))).toBeUndefined()
  })
})

it('remembers awaited creations up to a capacity, the oldest forgotten first', () => {
  const awaited = createAwaitedCreates(2)
  const author = { user: 'ada', replica: 'replica-a' }
  const submit = (index: number) => ({
    space: 'team',
    author,
    operation: {
      id: `op-${index}`,
      parts: [
        {
          ...ref(index),
          kind: 'create' as const,
          generation: '0',
          sequence: 1,
          lastModified: 1,
          update: new Uint8Array(),
        },
      ],
    },
  })
  for (const index of [1, 2, 3]) awaited.note(submit(index))
  expect([1, 2, 3].map((index) => awaited.has(author, 'team', ref(index)))).toEqual([
    false,
    true,
    true,
  ])
  awaited.settle(submit(3))
  expect(awaited.has(author, 'team', ref(3))).toBe(false)
  expect(awaited.has({ ...author, user: 'bo' }, 'team', ref(2))).toBe(false)
})
