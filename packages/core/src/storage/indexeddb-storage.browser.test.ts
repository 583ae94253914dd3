import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  connectionOf,
  deleteDatabase,
  describeIndexedDbStorage,
  makeIndexedDbDevice,
} from './indexeddb-cases.test-support.js'
import { createIndexedDbStorage } from './indexeddb-storage.js'
import { describeStorageContract } from './storage-contract.test-support.js'
import { entityRow, operationRow, plainRows } from './stored-rows.test-support.js'

describeStorageContract('IndexedDB', makeIndexedDbDevice)
describeIndexedDbStorage('IndexedDB')

describe('a storage in the IndexedDB of a browser', () => {
  async function opened(name: string) {
    const storage = createIndexedDbStorage(name)
    onTestFinished(async () => {
      storage.close()
      await deleteDatabase(name)
    })
    await storage.open('team', () => 'replica-1')
    return storage
  }

  test('[B2] opens a new connection after the browser has closed the old one', async () => {
    const storage = await opened('connection-lost')
    const connection = await connectionOf(storage)
    connection.close()
    connection.dispatchEvent(new Event('close'))
    await storage.write('team', {}, () => ({ addOperations: [operationRow('one')] }))
    expect((await storage.readSince('team', 0)).operations).toHaveLength(1)
  })

  test('[F5] [B6] says that the disk is full, writes nothing, and can still be read', async () => {
    await useSmallDisk(400_000)
    const storage = await opened('full-disk')
    await storage.write('team', {}, () => ({ addOperations: [operationRow('one')] }))
    const before = plainRows(await storage.readSince('team', 0))
    const puts = watchPuts()
    const large = new Uint8Array(4_000_000)
    for (let offset = 0; offset < large.length; offset += 65_536)
      crypto.getRandomValues(large.subarray(offset, offset + 65_536))
    const writing = storage
      .write('team', {}, () => ({
        space: { checkpoint: 7 },
        putEntities: [entityRow('large', { bytes: large })],
        addOperations: [operationRow('two')],
      }))
      .then(() => 'saved')
    await expect(writing).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('QuotaExceededError'),
      cause: { name: 'QuotaExceededError' },
    })
    // Every request had succeeded: only the commit told.
    expect(puts).toEqual({ made: 3, succeeded: 3 })
    expect(plainRows(await storage.readSince('team', 0))).toEqual(before)
  })
})

/** A bucket of its own with that many bytes, in the place of the origin's. */
async function useSmallDisk(bytes: number): Promise<void> {
  const { storageBuckets } = navigator as unknown as { readonly storageBuckets: StorageBuckets }
  const bucket = await storageBuckets.open('small', { quota: bytes })
  vi.stubGlobal('indexedDB', bucket.indexedDB)
  onTestFinished(() => {
    vi.unstubAllGlobals()
    return storageBuckets.delete('small')
  })
}

/** https://wicg.github.io/storage-buckets/, as far as it is used here; in Chromium since 122. */
interface StorageBuckets {
  open(
    name: string,
    options: { readonly quota: number },
  ): Promise<{ readonly indexedDB: IDBFactory }>
  delete(name: string): Promise<void>
}

/** Counts without keeping: the rows are large. */
function watchPuts(): { made: number; succeeded: number } {
  const counts = { made: 0, succeeded: 0 }
  const { put } = IDBObjectStore.prototype
  IDBObjectStore.prototype.put = function (...args) {
    const request = put.apply(this, args)
    counts.made += 1
    request.addEventListener('success', () => {
      counts.succeeded += 1
    })
    return request
  }
  onTestFinished(() => {
    IDBObjectStore.prototype.put = put
  })
  return counts
}
