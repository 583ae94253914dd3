import type * as zod from 'zod/v4/core'

/** A field whose value is a set of strings, merged element by element: adding twice is adding once. */
export interface SetField<Element extends zod.$ZodType<string> = zod.$ZodType<string>> {
  readonly kind: 'set'
  readonly element: Element
}

/** A collection's field: a zod schema (a register: the later write wins, conflicts stay visible) or `set()`. */
export type Field = zod.$ZodType | SetField

export type Fields = Readonly<Record<string, Field>>

/** A set of strings. Concurrent adds and removes of different elements never disturb each other. */
export function set<Element extends zod.$ZodType<string>>(element: Element): SetField<Element> {
  return { kind: 'set', element }
}

export function isSetField(field: Field): field is SetField {
  return 'kind' in field && field.kind === 'set'
}
