import { TidemarkError } from '../errors.js'
import { type Field, type Fields, kindOf } from './fields.js'
import { defaultOf } from './validation.js'

/** A named kind of entity: what its fields are. */
export interface Collection<F extends Fields = Fields> {
  readonly fields: F
}

export type Collections = Readonly<Record<string, Collection>>

/**
 * Brings an entity to the next version. It is handed the values that are stored, by field and frozen, with the `id`: sets as
 * ascending lists, counters as numbers, texts, lists and XML as what they show. What nobody wrote is missing, and so are
 * empty sets and counters at 0. It gives the new values; a field that it leaves out stays as it is. Each device runs it for
 * itself, so what it gives may depend on nothing else.
 */
export type Migration = (
  entity: Readonly<Record<string, unknown>>,
) => Readonly<Record<string, unknown>>

/** By the version that they lead to, and by collection. */
export type Migrations<Name extends string = string> = Readonly<
  Record<number, { readonly [N in Name]?: Migration | undefined }>
>

export interface Schema<C extends Collections = Collections> {
  /** Raised by one whenever the meaning of stored values changes. */
  readonly version: number
  readonly collections: C
  /** What brings the values of older versions to this one. Keep them all: a device may have been away for long. */
  readonly migrations?: Migrations<NoInfer<keyof C & string>> | undefined
}

/** Names that a collection can't have, because `store.<name>` is something else. */
const RESERVED_COLLECTIONS = new Set([
  'ready',
  'status',
  'operations',
  'transact',
  'mutation',
  'presence',
  'space',
  'undo',
  'redo',
  'history',
  'export',
  'import',
  'reconnect',
  'close',
  'destroy',
  'user',
  'schema',
  'then',
])

/** Names that a field can't have: they are the entity's own, or a trap of JavaScript objects. */
const RESERVED_FIELDS = new Set(['id', 'prototype', 'then'])

/** A plain identifier: it appears as a property, in storage keys and on the wire. */
const NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/

export function collection<F extends Fields>(fields: F): Collection<F> {
  return { fields }
}

/**
 * Checks names and defaults once, so that nothing later has to.
 *
 * @throws TidemarkError `schema-invalid` naming the collection and the field.
 */
export function defineSchema<C extends Collections>(schema: Schema<C>): Schema<C> {
  if (!Number.isSafeInteger(schema.version) || schema.version < 1) {
    throw new TidemarkError(
      'schema-invalid',
      `The schema's version is ${String(schema.version)}. It must be a whole number from 1 up; raise it by one when stored values change their meaning.`,
    )
  }
  for (const [name, { fields }] of Object.entries(schema.collections)) {
    assertName('collection', name, RESERVED_COLLECTIONS, [name])
    for (const [field, definition] of Object.entries(fields)) {
      assertName(`field of "${name}"`, field, RESERVED_FIELDS, [name, field])
      assertSynchronous(name, field, definition)
    }
  }
  assertMigrations(schema)
  return schema
}

function assertMigrations({ version, collections, migrations = {} }: Schema): void {
  for (const [target, steps] of Object.entries(migrations)) {
    const number = Number(target)
    const leads = Number.isSafeInteger(number) && number > 1 && number <= version
    for (const [name, step] of [[undefined, undefined], ...Object.entries(steps)] as const) {
      const fits = name === undefined || Object.hasOwn(collections, name)
      if (leads && fits && (step === undefined || typeof step === 'function')) continue
      throw new TidemarkError(
        'schema-invalid',
        `The migration to version ${target}${name === undefined ? '' : ` of "${name}"`} is none. Each leads to a version from 2 to ${version} and is a function for a collection of the schema.`,
        { path: ['migrations', target, ...(name === undefined ? [] : [name])] },
      )
    }
  }
}

function assertName(what: string, name: string, reserved: Set<string>, path: string[]): void {
  // What every object of JavaScript has would be read where nothing was written.
  if (reserved.has(name) || name in Object.prototype) {
    throw new TidemarkError(
      'schema-invalid',
      `The ${what} is called "${name}", which Tidemark or JavaScript uses itself. Choose another name.`,
      { path },
    )
  }
  if (!NAME.test(name)) {
    throw new TidemarkError(
      'schema-invalid',
      `The ${what} is called "${name}". Names start with a letter and go on with letters, digits and "_", 64 characters at most.`,
      { path },
    )
  }
}

function assertSynchronous(collectionName: string, field: string, definition: Field): void {
  if (kindOf(definition) === 'value') defaultOf(definition, [collectionName, field])
}
