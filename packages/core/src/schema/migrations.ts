import {
  type EntityView,
  SCHEMA_FIELD,
  type StorableValue,
  schemaVersionOf,
} from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import { plainOf, withPlain } from './plain-values.js'
import type { Schema } from './schema.js'
import { storable } from './validation.js'

/**
 * An entity as the schema's version has it. Nothing is taken away from what an older version knows: it stays beside what is
 * new. The same object where there is nothing to do: the entity is of this version, or of a newer one.
 *
 * @throws TidemarkError `migration-failed`
 */
export function migrate(
  schema: Schema,
  collection: string,
  id: string,
  view: EntityView,
): EntityView {
  const from = schemaVersionOf(view)
  if (from >= schema.version) return view
  const fields = schema.collections[collection]?.fields ?? {}
  let target = from
  try {
    let now = view
    while (target < schema.version) {
      target += 1
      const step = schema.migrations?.[target]?.[collection]
      if (step === undefined) continue
      // Each step reads what would be stored after the one before, as if it had been written down in between.
      const result: unknown = step(Object.freeze({ ...plainOf(now, fields), id }))
      now = withPlain(now, fields, storedFrom(collection, result))
    }
    const values = { ...now.values, [SCHEMA_FIELD]: schema.version }
    return { ...view, values, conflicts: conflictsAfter(view, values) }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TidemarkError(
      'migration-failed',
      `${collection} "${id}" can't be brought from version ${target - 1} of the schema to ${target}: ${reason}. It reads as it was and can't be written to; correct the migration.`,
      { cause, path: [collection, id] },
    )
  }
}

/** The value that a field shows stands first among its rivals, also when it was migrated. */
function conflictsAfter(
  { conflicts }: EntityView,
  values: EntityView['values'],
): EntityView['conflicts'] {
  if (conflicts === undefined) return undefined
  const entries = Object.entries(conflicts).map(
    ([field, [first, ...rivals]]) =>
      [field, first === undefined ? [] : [{ ...first, value: values[field] }, ...rivals]] as const,
  )
  return Object.fromEntries(entries)
}

/** Plain frozen data, of which nothing is lost when it is stored; a promise is none. */
function storedFrom(collection: string, result: unknown): Readonly<Record<string, StorableValue>> {
  if (typeof result !== 'object' || result === null || Array.isArray(result))
    throw new Error(`it gave ${String(result)} in place of the new values`)
  if (result instanceof Promise) result.catch(() => undefined)
  return storable(result, [collection]) as Readonly<Record<string, StorableValue>>
}
