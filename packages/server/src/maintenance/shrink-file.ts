import { dirname } from 'node:path'
import type { MaintenanceStorage } from '../storage/index.js'
import { sizeOf } from '../storage/index.js'
import { emptyLog } from '../storage/sqlite-database.js'
import { MaintenanceError } from './errors.js'
import { requireFreeSpace } from './free-space.js'

type DatabaseFile = Pick<MaintenanceStorage, 'database' | 'path'>

/** @throws MaintenanceError `disk-full` */
export function requireRoomToShrink({ database, path }: DatabaseFile): void {
  requireFreeSpace(dirname(path), 2 * sizeOf(database), 'Rewriting the database')
}

/**
 * Writes the whole database anew, without what is no longer used, and empties its log: what was deleted is in neither of
 * them any more.
 *
 * SQLite writes the new database to a temporary file first and then through the log. Both are put beside the database,
 * so that nothing of it gets anywhere else, and it is known where the space is needed.
 *
 * @throws MaintenanceError `disk-full`, `data-in-use`
 */
export function shrinkFile({ database, path }: DatabaseFile): void {
  requireRoomToShrink({ database, path })
  const directory = dirname(path)
  // The default of this build keeps the temporary database in memory.
  database.exec('PRAGMA temp_store = FILE')
  database.exec(`PRAGMA temp_store_directory = '${directory.replaceAll("'", "''")}'`)
  database.exec('VACUUM')
  if (emptyLog(database)) return
  throw new MaintenanceError(
    'data-in-use',
    `Another program reads ${path}, a backup perhaps, so that its write-ahead log can't be emptied and still holds what ` +
      'was deleted. Everything else is done. Wait for that program, then run `tidemark compact`.',
  )
}
