import { describe, expect, it } from 'vitest'
import { createMemoryDisk, createMemoryStorage, type MemoryDisk } from './memory-storage.js'
import type { EntityRef } from './port.js'
import { describeStorageContract } from './storage-contract.test-support.js'

describeStorageContract('memory', async () => {
  const disk = createMemoryDisk('epoch-1')
  return {
    storage: createMemoryStorage({ disk }),
    reopen: async () => createMemoryStorage({ disk }),
    damage: (space, ref, what) => damage(disk, space, ref, what),
    dispose: async () => {},
  }
})

function damage(
  disk: MemoryDisk,
  space: string,
  ref: EntityRef,
  what: 'snapshot' | 'updates',
): void {
  const entity = disk.spaces.get(space)?.entities.get(`${ref.collection}/${ref.id}`)
  const bytes = what === 'snapshot' ? entity?.snapshot?.bytes : entity?.updates[0]?.bytes
  if (bytes?.[0] === undefined) throw new Error('There is nothing to damage.')
  bytes[0] ^= 1
}

describe('a crash of the memory storage', () => {
  it('before the commit leaves the disk as it was', async () => {
    const disk = createMemoryDisk('epoch-1')
    const storage = createMemoryStorage({
      disk,
      beforeCommit: () => Promise.reject(new Error('crash')),
    })
    await expect(storage.transaction((tx) => tx.takeSequence('team'))).rejects.toThrow('crash')
    expect(await createMemoryStorage({ disk }).head('team')).toBe(0)
  })

  it('after the commit keeps what the caller never heard of', async () => {
    const disk = createMemoryDisk('epoch-1')
    const storage = createMemoryStorage({
      disk,
      afterCommit: () => Promise.reject(new Error('crash')),
    })
    await expect(storage.transaction((tx) => tx.takeSequence('team'))).rejects.toThrow('crash')
    expect(await createMemoryStorage({ disk }).head('team')).toBe(1)
  })
})
