import type { RelayStorage } from '@tidemark/server'

/**
 * A storage that says "committed" while the commit is still under way: what `synchronous=OFF`, a write-back cache, or
 * an ack sent too early amount to.
 */
export function ackBeforeCommit(storage: RelayStorage): RelayStorage {
  return {
    ...storage,
    transaction: (work) =>
      new Promise((resolve, reject) => {
        storage
          .transaction(async (tx) => {
            const result = await work(tx)
            resolve(result)
            return result
          })
          .catch(reject)
      }),
  }
}
