/** What an index finds rows by: values that are the same when `===` says so. */
export type Scalar = string | number | boolean | null | undefined

/** In place of a value where there is no row: no scalar, so that nothing finds it. */
export const ABSENT: unique symbol = Symbol('absent')

export function isScalar(value: unknown): value is Scalar {
  if (value === null) return true
  const type = typeof value
  return type === 'string' || type === 'number' || type === 'boolean' || type === 'undefined'
}

/** Which rows have a certain scalar in one field. */
export interface FieldIndex {
  /** The row has this value now, whatever it had before. It is found by scalars only. */
  set(id: string, value: unknown): void
  /** The rows with this value; a view that changes with the index. */
  ids(value: Scalar): ReadonlySet<string>
}

const NONE: ReadonlySet<string> = new Set()

export function createFieldIndex(): FieldIndex {
  const buckets = new Map<Scalar, Set<string>>()
  /** The bucket that a row is in: by the time it has changed, its old value can't be read any more. */
  const placed = new Map<string, Scalar>()

  function take(id: string): void {
    if (!placed.has(id)) return
    const value = placed.get(id)
    placed.delete(id)
    const bucket = buckets.get(value)
    bucket?.delete(id)
    // Texts are often all different: what stayed behind would only grow.
    if (bucket?.size === 0) buckets.delete(value)
  }

  return {
    set(id, value) {
      if (!isScalar(value)) {
        take(id)
        return
      }
      if (placed.has(id) && placed.get(id) === value) return
      take(id)
      placed.set(id, value)
      const bucket = buckets.get(value)
      if (bucket === undefined) buckets.set(value, new Set([id]))
      else bucket.add(id)
    },
    ids: (value) => buckets.get(value) ?? NONE,
  }
}
