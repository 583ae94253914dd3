import { randomUUID } from 'node:crypto'
import { beginEpoch, openForMaintenance } from '../storage/index.js'

/**
 * Makes the data another life of itself [L22]: for a copy that no file system can tell from its original, as that of a
 * whole machine.
 *
 * @returns the new epoch
 * @throws RelayStartError `data-missing`, `data-locked`
 */
export async function startAnew(data: string): Promise<string> {
  const storage = openForMaintenance(data)
  try {
    const epoch = randomUUID()
    await storage.transaction(async () => beginEpoch(storage.database, epoch))
    return epoch
  } finally {
    storage.close()
  }
}
