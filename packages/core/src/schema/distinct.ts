import type { ListField } from './fields.js'

/** The indexes of the elements that show: all of them, or in a unique list the first of those that are told to be equal. */
export function firstOfEach({ identity }: ListField, elements: readonly unknown[]): number[] {
  const seen = new Set<string>()
  const indexes: number[] = []
  for (const [index, element] of elements.entries()) {
    const key = identity === undefined ? String(index) : identity(element)
    if (seen.has(key)) continue
    seen.add(key)
    indexes.push(index)
  }
  return indexes
}

/** The elements of a list that show. */
export function distinct(field: ListField, elements: readonly unknown[]): readonly unknown[] {
  if (field.identity === undefined) return elements
  return firstOfEach(field, elements).map((index) => elements[index])
}
