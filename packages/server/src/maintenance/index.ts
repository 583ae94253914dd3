/**
 * What is done to a relay's data besides serving it: backup and restore, export and import, looking, compacting and
 * erasing. Reading (`backup`, `export`, `inspect`) happens beside a running relay, on one state of the database; changing
 * needs the data directory for itself.
 * May import `errors.ts`, `storage/`, core's entity code and Node; of `relay/` only what is pure. Prints nothing.
 */
export { backUp } from './backup.js'
export { compactData } from './compact.js'
export { MaintenanceError } from './errors.js'
export { type Export, type ExportFormat, exportSpace } from './export.js'
export { formatBytes } from './free-space.js'
export { importSpace } from './import.js'
export { type Inspector, inspect } from './inspect.js'
export { startAnew } from './new-epoch.js'
export { type PlainEntity, plainEntity } from './plain-entity.js'
export { purgeEntity } from './purge-entity.js'
export { purgeUser } from './purge-user.js'
export { restore } from './restore.js'
