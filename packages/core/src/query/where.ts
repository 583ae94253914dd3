import { type StorableValue, sameValue } from '../entity/index.js'
import type { Fields } from '../schema/index.js'
import { isScalar } from './field-index.js'
import type { Equality } from './field-indexes.js'
import { fieldValue } from './row-value.js'
import type { EntityRow, QueryOptions } from './types.js'

/** Which rows a query is about. */
export interface Condition<Row> {
  matches(row: Row): boolean
  /** What an index can tell of it beforehand: a row that matches satisfies all of them. */
  readonly equalities: readonly Equality[]
}

export function conditionOf<F extends Fields>(
  where: QueryOptions<F>['where'],
): Condition<EntityRow<F>> {
  if (where === undefined) return { matches: () => true, equalities: [] }
  if (typeof where === 'function') return { matches: where, equalities: [] }
  const wanted: readonly (readonly [string, unknown])[] = Object.entries(where)
  return {
    matches: (row) =>
      wanted.every(([field, value]) =>
        sameValue(fieldValue(row, field) as StorableValue, value as StorableValue),
      ),
    equalities: wanted.flatMap(([field, value]) => (isScalar(value) ? [[field, value]] : [])),
  }
}
