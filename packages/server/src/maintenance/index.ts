/**
 * What is done to a relay's data besides serving it: backup and restore, export and import, looking, compacting and
 * erasing. Reading (`backup`, `export`, `inspect`) happens beside a running relay, on one state of the database; changing
 * needs the data directory for itself.
 * May import `errors.ts`, `storage/`, core's entity code and Node; of `relay/` only what is pure. Prints nothing.
 */
export { type Backup, type BackupOptions, backUp } from './backup.js'
export { type Compaction, type CompactOptions, compactData } from './compact.js'
export { MaintenanceError, type MaintenanceErrorCode } from './errors.js'
export { type Export, type ExportFormat, type ExportOptions, exportSpace } from './export.js'
export { formatBytes } from './free-space.js'
export { type Import, type ImportOptions, importSpace } from './import.js'
export {
  type DamagedSummary,
  type EntityDetails,
  type EntitySummary,
  type Inspector,
  inspect,
  type Overview,
} from './inspect.js'
export type { Manifest } from './manifest.js'
export { startAnew } from './new-epoch.js'
export { type PlainEntity, plainEntity } from './plain-entity.js'
export { type PurgeEntityOptions, purgeEntity } from './purge-entity.js'
export { type PurgeUserOptions, purgeUser, type UserPurge } from './purge-user.js'
export { type Restore, type RestoreOptions, restore } from './restore.js'
export type { Damage, Verification } from './verify.js'
