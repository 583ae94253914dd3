import { TidemarkError } from '../errors.js'
import type { Fields } from '../schema/index.js'
import { ordersOf } from './row-order.js'
import { OWN_FIELDS } from './row-value.js'
import type { QueryOptions } from './types.js'

/**
 * What types promise and JavaScript doesn't keep: a misspelt field would find nothing, or sort by nothing, in silence.
 *
 * @throws TidemarkError `value-invalid`
 */
export function assertQuery<F extends Fields>(
  collection: string,
  fields: F,
  { where, orderBy, limit }: QueryOptions<F>,
): void {
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 0)) {
    throw invalid(
      collection,
      'limit',
      limit,
      'It is how many rows the query shows: give a whole number from 0 up, or leave it out for all rows',
    )
  }
  if (where !== undefined && typeof where !== 'function') {
    if (typeof where !== 'object' || where === null) {
      throw invalid(
        collection,
        'where',
        where,
        'Give an object of fields and values, or a function over rows; leave it out for all rows',
      )
    }
    for (const field of Object.keys(where)) assertField(collection, fields, 'where', field)
  }
  if (orderBy === undefined) return
  const orders: readonly unknown[] | undefined = Array.isArray(orderBy)
    ? ordersOf<F>(orderBy)
    : undefined
  for (const order of orders ?? [orderBy]) {
    if (!isOrder(order)) {
      throw invalid(
        collection,
        'orderBy',
        order,
        "Give a field with 'asc' or 'desc', such as ['title', 'desc'], or a list of these",
      )
    }
    assertField(collection, fields, 'orderBy', order[0])
  }
}

function isOrder(order: unknown): order is readonly [field: string, direction?: 'asc' | 'desc'] {
  if (!Array.isArray(order)) return false
  const [field, direction] = order as readonly unknown[]
  return typeof field === 'string' && [undefined, 'asc', 'desc'].includes(direction as undefined)
}

function assertField(collection: string, fields: Fields, option: string, field: string): void {
  const own: readonly string[] = OWN_FIELDS
  if (Object.hasOwn(fields, field) || own.includes(field)) return
  throw new TidemarkError(
    'value-invalid',
    `${collection} has no field "${field}", which a query's ${option} names. Take one of: ${[...Object.keys(fields), ...own].join(', ')}.`,
    { path: [collection, field] },
  )
}

function invalid(
  collection: string,
  option: string,
  value: unknown,
  remedy: string,
): TidemarkError {
  const isPlain = typeof value === 'string' || typeof value === 'object'
  const shown = isPlain ? JSON.stringify(value) : String(value)
  return new TidemarkError(
    'value-invalid',
    `A query of ${collection} has ${shown} as its ${option}. ${remedy}.`,
    { path: [collection, option] },
  )
}
