import { openForMaintenance, scanDatabase } from '../storage/index.js'
import { advanceHorizon } from './advance-horizon.js'
import { entityRef, unknownEntity, unknownSpace } from './inspect.js'
import { requireRoomToShrink, shrinkFile } from './shrink-file.js'

export interface PurgeEntityOptions {
  /** The data directory; its relay must not run. */
  readonly data: string
  readonly space: string
  /** `<collection>/<id>` */
  readonly entity: string
  /** False only looks. */
  readonly erase: boolean
}

/**
 * Erases an entity as if it had never been, and its bytes out of the database's files. Devices that have been in the
 * space before read it anew when they connect, and drop the entity.
 *
 * @throws MaintenanceError `space-unknown`, `entity-unknown`, `name-invalid`, `disk-full`
 * @throws RelayStartError `data-missing`, `data-locked`
 */
export async function purgeEntity(options: PurgeEntityOptions): Promise<void> {
  const { data, space, entity, erase } = options
  const ref = entityRef(entity)
  const storage = openForMaintenance(data)
  try {
    const scan = scanDatabase(storage.database)
    if (scan.space(space) === undefined) throw unknownSpace(space)
    if (scan.entity(space, ref) === undefined) throw unknownEntity(space, entity)
    if (!erase) return
    requireRoomToShrink(storage)
    await storage.transaction(async () => {
      await storage.statements.transaction.deleteEntity(space, ref)
      await advanceHorizon(storage, space)
    })
    shrinkFile(storage)
  } finally {
    storage.close()
  }
}
