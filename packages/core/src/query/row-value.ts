import type { Fields } from '../schema/index.js'
import type { EntityRow } from './types.js'

/** What queries can be about besides the fields of a schema. */
export const OWN_FIELDS = ['id', '$lastModified'] as const

/** What a row shows in a field, or in one of `OWN_FIELDS`. */
export function fieldValue<F extends Fields>(row: EntityRow<F>, field: string): unknown {
  return field === '$lastModified'
    ? row.$version.lastModified
    : (row as Readonly<Record<string, unknown>>)[field]
}
