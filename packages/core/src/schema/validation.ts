import type * as zod from 'zod/v4/core'
import type { StorableValue } from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import { parseBlobReference } from './blob-reference.js'
import { type BlobField, type Field, isBlobField, kindOf } from './fields.js'

type Path = readonly (string | number)[]

/** Deep enough for documents people write, shallow enough that no decoder overflows its stack (yjs-facts 5.4). */
const MAX_DEPTH = 64

/** What the relay takes (`validateUpdate`). */
const MAX_KEY_LENGTH = 1024

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Runs a field's checks on a value and returns a frozen copy of the result.
 *
 * @throws TidemarkError `value-invalid` naming the field, or `schema-invalid` for an asynchronous schema.
 */
export function parseValue(
  field: zod.$ZodType | BlobField,
  value: unknown,
  path: Path,
): StorableValue {
  if (isBlobField(field)) {
    if (value === undefined && field.isOptional) return undefined
    return storable(parseBlobReference(value, path.map(String)), path)
  }
  const result = validate(field, value, path)
  if (result.issues !== undefined) {
    const [issue] = result.issues
    const where = [...path, ...(issue?.path ?? []).map(segment)]
    throw new TidemarkError(
      'value-invalid',
      `${where.join('.')}: ${issue?.message ?? 'invalid value'}. Nothing was changed; correct the value and try again.`,
      { path: where },
    )
  }
  return storable(result.value, path)
}

/** What a field reads as while nobody has written it: empty, the schema's default, else `undefined`. */
export function defaultOf(field: Field, path: Path): StorableValue {
  switch (kindOf(field)) {
    case 'text':
    case 'xml':
      return ''
    case 'set':
    case 'list':
      return NO_ELEMENTS
    case 'counter':
      return 0
    case 'blob':
      return undefined
    case 'value':
      return valueDefault(field as zod.$ZodType, path)
  }
}

const NO_ELEMENTS: readonly never[] = Object.freeze([])

function valueDefault(schema: zod.$ZodType, path: Path): StorableValue {
  const result = validate(schema, undefined, path)
  return result.issues === undefined ? storable(result.value, path) : undefined
}

function validate(schema: zod.$ZodType, value: unknown, path: Path): StandardResult {
  const result = schema['~standard'].validate(value) as StandardResult | Promise<StandardResult>
  if (result instanceof Promise) {
    result.catch(() => undefined)
    // zod answers like that when a check throws, too. Asked this way, it lets such an error through.
    const again = schema._zod.run({ value, issues: [] }, { async: true })
    Promise.resolve(again).catch(() => undefined)
    throw new TidemarkError(
      'schema-invalid',
      `${path.join('.')} has an asynchronous check. A local write can't wait for one: make it synchronous, or check in the relay's "authorize".`,
      { path },
    )
  }
  return result
}

interface StandardResult {
  readonly value?: unknown
  readonly issues?: readonly {
    readonly message: string
    readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
  }[]
}

function segment(part: PropertyKey | { readonly key: PropertyKey }): string | number {
  const key = typeof part === 'object' ? part.key : part
  return typeof key === 'number' ? key : String(key)
}

/**
 * A deep frozen copy that holds nothing but plain data.
 *
 * Refuses what IndexedDB or the wire would change silently: dates become `{}`, functions throw later,
 * lone surrogates become U+FFFD (reliability B18), `__proto__` becomes a prototype (SEC-13).
 */
export function storable(value: unknown, path: Path, depth = 0): StorableValue {
  if (depth > MAX_DEPTH) {
    throw invalid(path, `is nested more than ${MAX_DEPTH} deep`, 'Flatten it')
  }
  switch (typeof value) {
    case 'undefined':
    case 'boolean':
      return value
    case 'number':
      if (!Number.isFinite(value))
        throw invalid(path, `is ${value}`, 'Store a finite number or null')
      return value
    case 'string':
      assertWellFormed(value, path)
      return value
    case 'object':
      return value === null ? null : storableObject(value, path, depth)
    default:
      throw invalid(path, `is a ${typeof value}`, 'Store plain data')
  }
}

function storableObject(value: object, path: Path, depth: number): StorableValue {
  if (Array.isArray(value)) {
    // Not `map`, which leaves holes as they are.
    return Object.freeze(
      Array.from(value, (item, index) => storable(item ?? null, [...path, index], depth + 1)),
    )
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw invalid(
      path,
      `is a ${value.constructor?.name ?? 'class instance'}`,
      'Store plain data, for example a date as an ISO string or as milliseconds',
    )
  }
  const copy: Record<string, StorableValue> = {}
  for (const [key, item] of Object.entries(value)) {
    if (FORBIDDEN_KEYS.has(key))
      throw invalid([...path, key], 'has a forbidden name', 'Rename the key')
    if (key.length > MAX_KEY_LENGTH)
      throw invalid(path, `has a key longer than ${MAX_KEY_LENGTH} characters`, 'Shorten the key')
    assertWellFormed(key, path)
    if (item !== undefined) copy[key] = storable(item, [...path, key], depth + 1)
  }
  return Object.freeze(copy)
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/

function assertWellFormed(text: string, path: Path): void {
  if (LONE_SURROGATE.test(text))
    throw invalid(path, 'has half of a surrogate pair', 'Cut strings between whole characters')
}

function invalid(path: Path, what: string, remedy: string): TidemarkError {
  return new TidemarkError(
    'value-invalid',
    `${path.join('.')} ${what}, which can't be stored. ${remedy}; nothing was changed.`,
    { path },
  )
}
