/**
 * Reading: rows out of entities, and live queries over rows. Pure: told what changed, it tells who listens.
 * May import `schema`, `entity` and `replica`.
 */
export { ABSENT } from './field-index.js'
export { createFieldIndexes } from './field-indexes.js'
export { createLiveQuery } from './live-query.js'
export { notify } from './notify.js'
export { assertQuery } from './query-options.js'
export { createRowFactory, type RowFactory } from './rows.js'
export type {
  EntityMeta,
  EntityRow,
  EntityStatus,
  EntityVersion,
  FieldConflict,
  LiveQuery,
  OrderBy,
  QueryOptions,
  Readable,
} from './types.js'
export { type ComparableVersion, compareVersions } from './versions.js'
