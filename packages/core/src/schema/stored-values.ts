import { isFieldName, type StorableValue, sameValue } from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import {
  type Field,
  type Fields,
  isListField,
  isRegisterField,
  isSetField,
  kindOf,
} from './fields.js'
import { parseValue } from './validation.js'

type Values = Readonly<Record<string, StorableValue>>

/**
 * Checks what an entity holds after a change: every field of a new one, else those that show something else than before, so
 * that what was stored under an older schema keeps nobody from changing other fields. Fields that the schema doesn't have are
 * those of other versions.
 *
 * @param before values by field; undefined for an entity that has never been
 * @throws TidemarkError `value-invalid` naming the field
 */
export function checkValues(fields: Fields, before: Values | undefined, after: Values): void {
  for (const [name, field] of Object.entries(fields)) {
    const value = after[name]
    if (before === undefined || !sameValue(before[name], value)) checkField(name, field, value)
  }
}

function checkField(name: string, field: Field, value: StorableValue): void {
  if (isRegisterField(field)) {
    parseValue(field, value, [name])
  } else if (value !== undefined) {
    checkShape(name, field, value)
  }
}

function checkShape(name: string, field: Field, value: StorableValue): void {
  if (isSetField(field) || isListField(field)) {
    if (!Array.isArray(value)) throw misfit(name, `is no ${kindOf(field)}`)
    for (const [index, element] of value.entries())
      parseValue(field.element, element, [name, index])
  } else if (kindOf(field) === 'counter') {
    if (!Number.isSafeInteger(value)) throw misfit(name, 'is no whole number')
  } else if (typeof value !== 'string') {
    throw misfit(name, `is no ${kindOf(field)}`)
  }
}

/**
 * Checks one register that is written, also where a later write hides it: it may show one day.
 *
 * @param key a field, or `field:element` of a set
 * @throws TidemarkError `value-invalid` naming the field
 */
export function checkRegister(fields: Fields, key: string, value: StorableValue): void {
  const colon = key.indexOf(':')
  const name = colon < 0 ? key : key.slice(0, colon)
  const field = isFieldName(name) && Object.hasOwn(fields, name) ? fields[name] : undefined
  if (field === undefined) return
  if (isRegisterField(field) && colon < 0) parseValue(field, value, [name])
  else if (isSetField(field) && colon >= 0) parseValue(field.element, key.slice(colon + 1), [name])
}

function misfit(name: string, what: string): TidemarkError {
  return new TidemarkError('value-invalid', `${name} ${what}.`, { path: [name] })
}
