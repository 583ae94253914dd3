/**
 * Reading: rows out of entities, and live queries over rows. Pure: told what changed, it tells who listens.
 * May import `schema`, `entity` and `replica`.
 */
export { createLiveQuery } from './live-query.js'
export { notify } from './notify.js'
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
