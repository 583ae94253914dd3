import type { Fields } from '../schema/index.js'
import { fieldValue } from './row-value.js'
import type { EntityRow, OrderBy, QueryOptions } from './types.js'

/** Negative: a before b. No two rows have the same place: ties go by id. Never throws. */
export type Compare<Row> = (a: Row, b: Row) => number

export function comparator<F extends Fields>(
  orderBy: QueryOptions<F>['orderBy'],
): Compare<EntityRow<F>> {
  const orders = ordersOf<F>(orderBy)
  return (a, b) => {
    for (const [field, direction] of orders) {
      const difference = compareValues(fieldValue(a, field), fieldValue(b, field))
      if (difference !== 0) return direction === 'desc' ? -difference : difference
    }
    return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
  }
}

/** One order or several as a list of them. */
export function ordersOf<F extends Fields>(
  orderBy: QueryOptions<F>['orderBy'],
): readonly OrderBy<F>[] {
  if (orderBy === undefined) return []
  const [first] = orderBy
  return typeof first === 'string' ? [orderBy as OrderBy<F>] : (orderBy as readonly OrderBy<F>[])
}

/**
 * Nothing before something, false before true, numbers by size, strings by the user's collation. Values of different
 * types go by their type, so that there is one order whatever a field holds.
 */
function compareValues(a: unknown, b: unknown): number {
  if (a === b) return 0
  if (typeof a === 'string' && typeof b === 'string') return collator.compare(a, b)
  const difference = typeRank(a) - typeRank(b)
  if (difference !== 0) return difference
  if (typeof a === 'number' || typeof a === 'boolean') return Number(a) - Number(b)
  return collator.compare(textOf(a), textOf(b))
}

const TYPES = ['boolean', 'number', 'string', 'object']

function typeRank(value: unknown): number {
  return value === undefined || value === null ? -1 : TYPES.indexOf(typeof value)
}

/** Data may have a key that is called like a method; then there is no text. */
function textOf(value: unknown): string {
  try {
    return String(value)
  } catch {
    return ''
  }
}

const collator: Intl.Collator = new Intl.Collator(undefined, {
  numeric: true,
  sensitivity: 'variant',
})
