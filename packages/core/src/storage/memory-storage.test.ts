import { describe, expect, test } from 'vitest'
import { createMemoryDisk, createMemoryStorage } from './memory-storage.js'
import { describeStorageContract } from './storage-contract.test-support.js'
import { operationRow } from './stored-rows.test-support.js'

describeStorageContract('memory', async () => {
  const disk = createMemoryDisk()
  return { tab: () => createMemoryStorage({ disk }), dispose: async () => undefined }
})

describe('a memory storage whose commits are scheduled', () => {
  test('[L8] resolves after the commit and writes nothing before it', async () => {
    const disk = createMemoryDisk()
    const commits: (() => void)[] = []
    const storage = createMemoryStorage({
      disk,
      schedule: (commit) =>
        new Promise((resolve) => {
          commits.push(() => {
            commit()
            resolve()
          })
        }),
    })
    const reader = createMemoryStorage({ disk })
    await reader.open('team', () => 'replica-1')
    let saved = false
    const writing = storage
      .write('team', {}, () => ({ addOperations: [operationRow('one')] }))
      .then(() => {
        saved = true
      })
    expect((await reader.readSince('team', 0)).operations).toEqual([])
    expect(saved).toBe(false)
    commits[0]?.()
    await writing
    expect((await reader.readSince('team', 0)).operations).toHaveLength(1)
  })

  test('commits in the order that the schedule chooses, each on top of the other', async () => {
    const commits: (() => void)[] = []
    const storage = createMemoryStorage({
      schedule: (commit) =>
        new Promise((resolve) => {
          commits.push(() => {
            commit()
            resolve()
          })
        }),
    })
    const open = storage.open('team', () => 'replica-1')
    commits.shift()?.()
    await open
    const first = storage.write('team', {}, () => ({ addOperations: [operationRow('first')] }))
    const second = storage.write('team', {}, () => ({ addOperations: [operationRow('second')] }))
    for (const commit of commits.reverse()) commit()
    const [late, early] = await Promise.all([first, second])
    expect(early.operations[0]?.order).toBe(1)
    expect(late.operations[0]?.order).toBe(2)
    expect(late.meta.change).toBe(2)
  })
})
