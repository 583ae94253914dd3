import type { EntityView } from '../entity/index.js'
import { isDeleted } from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import type { EntityRef } from '../replica/index.js'
import type { Fields } from '../schema/index.js'

/** What a draft refuses, in words. Nothing was changed in any of these cases. */
export function missing({ collection, id }: EntityRef): TidemarkError {
  return new TidemarkError(
    'entity-missing',
    `${collection} has no entity "${id}" here. Insert it first, or wait until it has been synchronised.`,
    { path: [collection, id] },
  )
}

export function occupied(ref: EntityRef, known: EntityView): TidemarkError {
  if (isDeleted(known)) return deleted(ref)
  return new TidemarkError(
    'entity-exists',
    `${ref.collection} has an entity "${ref.id}" already. Update it, or insert without an id to get a new one.`,
    { path: [ref.collection, ref.id] },
  )
}

export function deleted({ collection, id }: EntityRef): TidemarkError {
  return new TidemarkError(
    'entity-deleted',
    `${collection} "${id}" is deleted. Bring it back with restore(), or use another id.`,
    { path: [collection, id] },
  )
}

export function unknownField(collection: string, fields: Fields, name: string): TidemarkError {
  return new TidemarkError(
    'value-invalid',
    `${collection} has no field "${name}". It has: ${Object.keys(fields).join(', ')}.`,
    { path: [collection, name] },
  )
}

export function asynchronous(ref: EntityRef, result: Promise<unknown>): TidemarkError {
  result.catch(() => undefined)
  return new TidemarkError(
    'value-invalid',
    `The change of ${ref.collection} "${ref.id}" is asynchronous, and a write can't wait. Await first, then update; nothing was changed.`,
    { path: [ref.collection, ref.id] },
  )
}

/** A value that doesn't fit its field. */
export function unfit(path: readonly string[], what: string): TidemarkError {
  return new TidemarkError('value-invalid', `${path.join('.')} ${what}`, { path })
}
