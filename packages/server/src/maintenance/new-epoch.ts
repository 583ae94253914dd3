import { randomUUID } from 'node:crypto'
import { openForMaintenance, writeMeta } from '../storage/index.js'

/**
 * Makes the data another life of itself [L22]: for a copy that no file system can tell from its original, as that of a
 * whole machine.
 *
 * @returns the new epoch
 * @throws RelayStartError `data-missing`, `data-locked`
 */
export async function beginEpoch(data: string): Promise<string> {
  const storage = openForMaintenance(data)
  try {
    const epoch = randomUUID()
    await storage.transaction(async () => writeMeta(storage.database, 'epoch', epoch))
    return epoch
  } finally {
    storage.close()
  }
}
