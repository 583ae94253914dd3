import { isRegisterKey, type StorableValue } from '../entity/index.js'
import {
  isListField,
  isSetField,
  kindOf,
  type ListField,
  parseValue,
  type SetField,
} from '../schema/index.js'
import type { EntityDraft } from './entity-draft.js'
import { unfit, unknownField } from './refusals.js'

/** Assigns every field of a new entity, after all of them have been checked. */
export function fill(draft: EntityDraft, input: Readonly<Record<string, unknown>>): void {
  const { collection } = draft.ref
  for (const name of Object.keys(input)) {
    if (name !== 'id' && !Object.hasOwn(draft.fields, name))
      throw unknownField(collection, draft.fields, name)
  }
  for (const name of Object.keys(draft.fields)) fillField(draft, name, input[name])
}

function fillField(draft: EntityDraft, name: string, value: unknown): void {
  const field = draft.fields[name]
  if (field === undefined) return
  const path = [draft.ref.collection, name]
  const kind = kindOf(field)
  if (isSetField(field)) {
    for (const element of elementsOf(path, value))
      draft.assign(elementKey(path, name, field, element), true)
  } else if (isListField(field)) {
    const elements = [...elementsOf(path, value)].map((element) => parsed(field, element, path))
    if (elements.length > 0) draft.document().doc.getArray(name).insert(0, elements)
  } else if (kind === 'text') {
    if (value === undefined) return
    if (typeof value !== 'string')
      throw unfit(path, `is a text and was given a ${typeof value}. Give a string.`)
    if (value !== '') draft.document().doc.getText(name).insert(0, value)
  } else if (kind === 'counter') {
    if (value !== undefined) draft.increment(name, wholeNumber(path, value))
  } else if (kind === 'xml') {
    if (value !== undefined)
      throw unfit(
        path,
        'is XML, which is written by an editor. Insert without it, then use open().',
      )
  } else if ('kind' in field ? field.kind === 'blob' : true) {
    const assigned = parseValue(field as Parameters<typeof parseValue>[0], value, path)
    if (assigned !== undefined) draft.assign(name, assigned)
  }
}

/** A text can be iterated too, but nobody means its letters. */
function elementsOf(path: readonly string[], value: unknown): Iterable<unknown> {
  if (value === undefined) return []
  if (typeof value === 'object' && value !== null && Symbol.iterator in value)
    return value as Iterable<unknown>
  throw unfit(path, `holds several elements and was given a ${typeof value}. Give a list of them.`)
}

export function elementKey(
  path: readonly string[],
  name: string,
  field: SetField,
  element: unknown,
): string {
  const key = `${name}:${String(parseValue(field.element, element, path))}`
  if (!isRegisterKey(key)) {
    throw unfit(
      path,
      'has an element of more than 512 characters. Sets hold short strings such as tags or ids.',
    )
  }
  return key
}

/** An element as the list holds it: Yjs has no `undefined`. */
export function parsed(field: ListField, element: unknown, path: readonly string[]): StorableValue {
  return parseValue(field.element, element, path) ?? null
}

/** Fractions would add up differently in another order, and others add in another order. */
export function wholeNumber(path: readonly string[], value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw unfit(path, `is a counter and takes whole numbers, not ${String(value)}.`)
}
