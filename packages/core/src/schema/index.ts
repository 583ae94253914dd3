/**
 * Schemas: collections, fields, zod, and the checks that values pass before they are stored.
 * Pure. May import `entity` and `errors`. Types of zod only: an app brings its own zod, core bundles none.
 */
export { type Field, type Fields, isSetField, type SetField, set } from './fields.js'
export {
  type Collection,
  type Collections,
  collection,
  defineSchema,
  type Schema,
} from './schema.js'
export type {
  Draft,
  DraftSet,
  EntityFields,
  FieldInput,
  FieldOutput,
  FieldsOf,
  InsertInput,
} from './types.js'
export { defaultOf, parseValue } from './validation.js'
