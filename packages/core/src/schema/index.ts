/**
 * Schemas: collections, fields, zod, and the checks that values pass before they are stored.
 * Pure. May import `entity` and `errors`. Types of zod only: an app brings its own zod, core bundles none.
 */
export { distinct, firstOfEach } from './distinct.js'
export {
  type BlobField,
  type BlobReference,
  blob,
  type CounterField,
  counter,
  type Field,
  type FieldKind,
  type Fields,
  isListField,
  isRegisterField,
  isSetField,
  kindOf,
  type ListField,
  list,
  type SetField,
  set,
  type TextField,
  text,
  type XmlField,
  xml,
} from './fields.js'
export { migrate } from './migrations.js'
export { plainOf } from './plain-values.js'
export {
  type Collection,
  type Collections,
  collection,
  defineSchema,
  type Migration,
  type Migrations,
  type Schema,
} from './schema.js'
export { checkRegister, checkValues } from './stored-values.js'
export type {
  Draft,
  DraftCounter,
  DraftList,
  DraftSet,
  EntityFields,
  FieldInput,
  FieldOutput,
  FieldsOf,
  InsertInput,
} from './types.js'
export { defaultOf, parseValue, storable } from './validation.js'
