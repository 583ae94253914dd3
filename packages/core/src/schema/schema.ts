import { TidemarkError } from '../errors.js'
import { type Field, type Fields, kindOf } from './fields.js'
import type { Migrations } from './migrations.js'
import { defaultOf } from './validation.js'

/** A named kind of entity: what its fields are. */
export interface Collection<F extends Fields = Fields> {
  readonly fields: F
}

export type Collections = Readonly<Record<string, Collection>>

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
  'space',
  'undo',
  'redo',
  'export',
  'import',
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
    if (!Number.isSafeInteger(number) || number < 2 || number > version) {
      throw invalidMigration(
        `leads to version ${target}. Versions that can be migrated to are whole numbers from 2 to the schema's own, ${version}`,
        [target],
      )
    }
    for (const [name, step] of Object.entries(steps)) {
      if (!Object.hasOwn(collections, name))
        throw invalidMigration(
          `to version ${target} is for "${name}", which is no collection of the schema`,
          [target, name],
        )
      if (step !== undefined && typeof step !== 'function')
        throw invalidMigration(`of "${name}" to version ${target} is no function`, [target, name])
    }
  }
}

function invalidMigration(what: string, path: string[]): TidemarkError {
  return new TidemarkError('schema-invalid', `A migration ${what}.`, {
    path: ['migrations', ...path],
  })
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
