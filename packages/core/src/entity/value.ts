/** A value that survives storage and the wire: JSON, plus `undefined` for "not there". */
export type StorableValue =
  | undefined
  | null
  | boolean
  | number
  | string
  | readonly StorableValue[]
  | { readonly [key: string]: StorableValue }

/** Deep equality of plain data. The order of keys does not matter. */
export function sameValue(a: StorableValue, b: StorableValue): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (isList(a) || isList(b)) {
    if (!isList(a) || !isList(b)) return false
    return a.length === b.length && a.every((item, index) => sameValue(item, b[index]))
  }
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameValue(a[key], b[key]))
  )
}

function isList(value: object): value is readonly StorableValue[] {
  return Array.isArray(value)
}

/** The same value, frozen all the way down: what is read out of bytes or a database isn't yet. */
export function frozen(value: StorableValue): StorableValue {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const part of Object.values(value)) frozen(part)
    Object.freeze(value)
  }
  return value
}
