import { isTidemarkError } from '@tidemark/core'
import type { Log } from '../log.js'
import type { RelayStorage, StoredOperation } from '../storage/index.js'

/**
 * Those of the operations that were accepted, but for damaged ones: nothing is said of these. Sent again they have to
 * wait until they are repaired; nobody else waits with them.
 */
export async function readOperations(
  storage: Pick<RelayStorage, 'operations'>,
  log: Log,
  space: string,
  ids: readonly string[],
): Promise<readonly StoredOperation[]> {
  try {
    return await storage.operations(space, ids)
  } catch (error) {
    if (!isTidemarkError(error) || error.code !== 'corrupt') throw error
    if (ids.length === 1) {
      log.error({ err: error, space, operation: ids[0] }, 'the fate of an operation is damaged')
      return []
    }
  }
  const known: StoredOperation[] = []
  for (const id of ids) known.push(...(await readOperations(storage, log, space, [id])))
  return known
}
