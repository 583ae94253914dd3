import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createIndexedDbStorage } from './indexeddb-storage.js'
import type { ReplicaStorage } from './port.js'
import type { Device } from './storage-contract.test-support.js'
import { entityRow, operationRow, plainRows } from './stored-rows.test-support.js'

let devices = 0

function newName(): string {
  devices += 1
  return `tidemark-test-${devices}`
}

/** A device whose disk is a database of its own. */
export async function makeIndexedDbDevice(): Promise<Device> {
  const name = newName()
  const tabs: ReplicaStorage[] = []
  return {
    tab() {
      const storage = createIndexedDbStorage(name)
      tabs.push(storage)
      return storage
    },
    async dispose() {
      for (const tab of tabs) tab.close()
      await deleteDatabase(name)
    },
  }
}

/** What a storage in IndexedDB must do besides the contract, in any implementation of IndexedDB. */
export function describeIndexedDbStorage(name: string): void {
  async function opened(): Promise<{ name: string; storage: ReplicaStorage }> {
    const database = newName()
    const storage = createIndexedDbStorage(database)
    onTestFinished(async () => {
      storage.close()
      await deleteDatabase(database)
    })
    await storage.open('team', () => 'replica-1')
    return { name: database, storage }
  }

  describe(`a storage in ${name}`, () => {
    test('[F5] resolves on complete, not when its requests have succeeded', async () => {
      const { storage } = await opened()
      const events = watchTransactions()
      await storage
        .write('team', {}, () => ({ addOperations: [operationRow('one')] }))
        .then(() => events.push('resolved'))
      expect(events).toEqual(['readwrite begins', 'complete', 'resolved'])
    })

    test('[F5] rejects when the commit fails after every request has succeeded, and writes nothing', async () => {
      const { storage } = await opened()
      await storage.write('team', {}, () => ({ addOperations: [operationRow('one')] }))
      const before = plainRows(await storage.readSince('team', 0))

      const successes = failNextCommit()
      const writing = storage.write('team', {}, () => ({
        space: { checkpoint: 7 },
        putEntities: [entityRow('a')],
        addOperations: [operationRow('two')],
        deleteOperations: [1],
      }))
      await expect(writing).rejects.toMatchObject({ name: 'TidemarkError', code: 'storage-failed' })
      expect(successes.count).toBe(4)

      expect(plainRows(await storage.readSince('team', 0))).toEqual(before)
      const { meta } = await storage.write('team', {}, () => ({
        addOperations: [operationRow('two')],
      }))
      expect(meta.change).toBe(2)
    })

    test('writes nothing when one of the rows can not be stored', async () => {
      const { storage } = await opened()
      await storage.write('team', {}, () => ({ addOperations: [operationRow('one')] }))
      const before = plainRows(await storage.readSince('team', 0))
      const unstorable = { ...operationRow('two'), failure: (() => undefined) as never }
      await expect(
        storage.write('team', {}, () => ({
          space: { checkpoint: 7 },
          putEntities: [entityRow('a')],
          addOperations: [unstorable],
        })),
      ).rejects.toMatchObject({ code: 'storage-failed' })
      expect(plainRows(await storage.readSince('team', 0))).toEqual(before)
    })

    test('writes nothing once it has said that a transaction took too long', async () => {
      const { name: database, storage } = await opened()
      const frozen = await holdTransaction(database)
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      onTestFinished(() => {
        vi.useRealTimers()
      })
      const writing = storage.write('team', {}, () => ({ addOperations: [operationRow('one')] }))
      const failed = expect(writing).rejects.toMatchObject({ code: 'storage-failed' })
      // The connection is there; the transaction waits for the other tab's.
      await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1))
      vi.advanceTimersByTime(60_000)
      await failed
      vi.useRealTimers()
      await frozen.release()
      expect((await storage.readSince('team', 0)).operations).toEqual([])
      await storage.write('team', {}, () => ({ addOperations: [operationRow('one')] }))
      expect((await storage.readSince('team', 0)).operations).toHaveLength(1)
    })

    test('does not stand in the way of another tab that deletes the database', async () => {
      const { name: database, storage } = await opened()
      await storage.write('team', {}, () => ({ addOperations: [operationRow('one')] }))
      expect(await deleteDatabase(database)).toBe('deleted')
    })

    test('[F6] refuses to write into a database that was emptied under it', async () => {
      const { name: database, storage } = await opened()
      await storage.write('team', {}, () => ({ addOperations: [operationRow('one')] }))
      await deleteDatabase(database)
      let decided = false
      const writing = storage.write('team', {}, () => {
        decided = true
        return { addOperations: [operationRow('two')] }
      })
      await expect(writing).rejects.toMatchObject({ code: 'storage-failed' })
      await expect(storage.readSince('team', 0)).rejects.toMatchObject({ code: 'storage-failed' })
      expect(decided).toBe(false)
      // Opening it again is a new device, with an identity of its own.
      const { meta, operations } = await storage.open('team', () => 'replica-2')
      expect([meta.replica, operations]).toEqual(['replica-2', []])
    })

    test('[B3] fails once on a connection that is dead without an event, then works again', async () => {
      const { storage } = await opened()
      const connection = await connectionOf(storage)
      connection.close()
      await expect(storage.readSince('team', 0)).rejects.toMatchObject({ code: 'storage-failed' })
      expect((await storage.readSince('team', 0)).meta.replica).toBe('replica-1')
    })

    test('[B1] gives up on an open that never answers, and can open later', async () => {
      const storage = createIndexedDbStorage(newName())
      const open = vi.spyOn(IDBFactory.prototype, 'open')
      open.mockImplementationOnce(() => new EventTarget() as IDBOpenDBRequest)
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      onTestFinished(() => {
        vi.useRealTimers()
        open.mockRestore()
      })
      const opening = storage.open('team', () => 'replica-1')
      const failed = expect(opening).rejects.toThrow(/can't be opened .*opening took longer/)
      vi.advanceTimersByTime(60_000)
      await failed
      vi.useRealTimers()
      expect((await storage.open('team', () => 'replica-2')).meta.replica).toBe('replica-2')
      await storage.destroy()
    })

    test('says what is wrong when the browser refuses to open', async () => {
      const storage = createIndexedDbStorage(newName())
      const open = vi.spyOn(IDBFactory.prototype, 'open')
      open.mockImplementationOnce(() => {
        throw new DOMException('A mutation operation was attempted.', 'InvalidStateError')
      })
      onTestFinished(() => open.mockRestore())
      await expect(storage.open('team', () => 'replica-1')).rejects.toMatchObject({
        code: 'storage-failed',
        message: expect.stringContaining('InvalidStateError: A mutation operation was attempted.'),
        cause: { name: 'InvalidStateError' },
      })
    })
  })
}

/** Deletes a database; says whether another connection blocked it. */
export function deleteDatabase(name: string): Promise<'deleted' | 'blocked'> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name)
    request.onblocked = () => resolve('blocked')
    request.onsuccess = () => resolve('deleted')
    request.onerror = () => reject(request.error)
  })
}

/** Notes when transactions begin and complete, ahead of whoever else listens. */
function watchTransactions(): string[] {
  const events: string[] = []
  const begin = IDBDatabase.prototype.transaction
  const spy = vi.spyOn(IDBDatabase.prototype, 'transaction')
  spy.mockImplementation(function (this: IDBDatabase, ...args) {
    const transaction = begin.apply(this, args)
    events.push(`${transaction.mode} begins`)
    transaction.addEventListener('complete', () => events.push('complete'))
    return transaction
  })
  onTestFinished(() => spy.mockRestore())
  return events
}

/** Turns the next commit into an abort, once all requests have succeeded; counts them. */
function failNextCommit(): { count: number } {
  const successes = { count: 0 }
  const put = vi.spyOn(IDBObjectStore.prototype, 'put')
  const add = vi.spyOn(IDBObjectStore.prototype, 'add')
  const commit = vi.spyOn(IDBTransaction.prototype, 'commit')
  onTestFinished(() => {
    for (const spy of [put, add, commit]) spy.mockRestore()
  })
  commit.mockImplementationOnce(function (this: IDBTransaction) {
    const requests = [...put.mock.results, ...add.mock.results].map(
      ({ value }) => value as IDBRequest,
    )
    let open = requests.length
    for (const request of requests) {
      request.addEventListener('success', () => {
        successes.count += 1
        open -= 1
        if (open === 0) this.abort()
      })
    }
  })
  return successes
}

/** A transaction of another tab that goes on until it is released. */
async function holdTransaction(name: string): Promise<{ release(): Promise<void> }> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
  const transaction = database.transaction(['meta', 'spaces', 'entities', 'outbox'], 'readwrite')
  let held = true
  const done = new Promise<void>((resolve) => {
    transaction.oncomplete = () => resolve()
  })
  await new Promise<void>((resolve) => {
    const spin = (): void => {
      const request = transaction.objectStore('meta').get('replica')
      request.onsuccess = () => {
        resolve()
        if (held) spin()
      }
    }
    spin()
  })
  return {
    async release() {
      held = false
      await done
      database.close()
    },
  }
}

/** The connection under a storage. */
export async function connectionOf(storage: ReplicaStorage): Promise<IDBDatabase> {
  const spy = vi.spyOn(IDBDatabase.prototype, 'transaction')
  await storage.readSince('team', 0)
  const [connection] = spy.mock.contexts
  spy.mockRestore()
  return connection as IDBDatabase
}
