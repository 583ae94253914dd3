import {
  counterValue,
  DELETED_FIELD,
  type EntityView,
  frozen,
  isDeleted,
  SCHEMA_FIELD,
  type StorableValue,
  setElements,
  userOf,
} from '../entity/index.js'
import { isTidemarkError } from '../errors.js'
import type { EntityState, OperationFailure } from '../replica/index.js'
import {
  defaultOf,
  distinct,
  type Field,
  type Fields,
  isListField,
  kindOf,
  type ListField,
} from '../schema/index.js'
import { ABSENT } from './field-index.js'
import type { EntityRow, EntityStatus, EntityVersion, FieldConflict } from './types.js'

/** Turns an entity's registers into the frozen object that apps read. One per collection. */
export interface RowFactory<F extends Fields> {
  /** `undefined` for what is missing or deleted. */
  row(entity: EntityState, status: EntityStatus): EntityRow<F> | undefined
  /** The same inside of a transaction, where there is no status yet. */
  preview(id: string, view: EntityView): EntityRow<F> | undefined
  /** What the row shows in a field, without building it; `ABSENT` without a row, and for what is no field. */
  value(entity: EntityState, field: string): unknown
}

interface Migrated {
  readonly view: EntityView
  readonly failure: OperationFailure | undefined
}

const NO_CONFLICTS: Readonly<Record<string, readonly FieldConflict[]>> = Object.freeze({})

export function createRowFactory<F extends Fields>(
  fields: F,
  /** Brings an entity of an older version to the schema's; may throw `migration-failed`. */
  migrate: (id: string, view: EntityView) => EntityView = (_id, view) => view,
): RowFactory<F> {
  /** Indexes ask field by field, and rows after them. */
  const known = new WeakMap<EntityView, Migrated>()
  const readers = new Map<string, Reader>()
  for (const [name, field] of Object.entries(fields)) readers.set(name, readerOf(name, field))

  function values(id: string, view: EntityView): Record<string, unknown> {
    const row: Record<string, unknown> = { id }
    for (const [name, read] of readers) row[name] = read(view)
    return row
  }

  /** Reading never throws: what can't be migrated shows as it is. */
  function migrated(id: string, view: EntityView): Migrated {
    const cached = known.get(view)
    if (cached !== undefined) return cached
    let result: Migrated
    try {
      result = { view: migrate(id, view), failure: undefined }
    } catch (error) {
      if (!isTidemarkError(error)) throw error
      const { code, message } = error
      result = { view, failure: Object.freeze({ code, message }) }
    }
    if (result.view !== view || result.failure !== undefined) known.set(view, result)
    return result
  }

  /**
   * One assignment after the other, always in the same order: the engine then gives all rows one hidden class. A spread into a new
   * object makes a dictionary of each, which takes several times as long and as much memory.
   */
  function finish(row: Record<string, unknown>, meta: RowMeta): EntityRow<F> {
    row['$status'] = meta.status
    row['$version'] = Object.freeze(meta.version)
    row['$conflicts'] = meta.conflicts
    row['$error'] = meta.error
    return Object.freeze(row) as unknown as EntityRow<F>
  }

  return {
    row(entity, status) {
      if (!isShown(entity)) return undefined
      const { view, failure } = migrated(entity.id, entity.view)
      const { confirmed, pending, failed } = entity
      const isConfirmed = pending.length === 0 && confirmed?.owed === undefined
      const confirmedSequence = isConfirmed ? (confirmed?.confirmedSequence ?? null) : null
      return finish(values(entity.id, view), {
        status,
        version: {
          sequence: entity.sequence,
          lastModified: entity.lastModified,
          confirmedSequence,
        },
        conflicts: conflictsOf(view),
        error: failed[0]?.failure ?? failure,
      })
    },
    preview(id, before) {
      if (isDeleted(before)) return undefined
      const { view, failure } = migrated(id, before)
      const { sequence, lastModified } = view
      return finish(values(id, view), {
        status: 'pending',
        version: { sequence, lastModified, confirmedSequence: null },
        conflicts: conflictsOf(view),
        error: failure,
      })
    },
    value(entity, field) {
      if (!isShown(entity)) return ABSENT
      if (field === 'id') return entity.id
      if (field === '$lastModified') return entity.lastModified
      const value = readers.get(field)?.(migrated(entity.id, entity.view).view)
      return value === undefined && !readers.has(field) ? ABSENT : value
    },
  }
}

function isShown({ confirmed, pending, view }: EntityState): boolean {
  return (confirmed !== undefined || pending.length > 0) && !isDeleted(view)
}

/** Reads what a field shows out of what an entity holds. */
type Reader = (view: EntityView) => unknown

function readerOf(name: string, field: Field): Reader {
  if (isListField(field)) return (view) => listOf(field, view.shared?.[name])
  switch (kindOf(field)) {
    case 'set':
      return (view) => Object.freeze(setElements(view, name))
    case 'counter':
      return (view) => counterValue(view, name)
    case 'text':
    case 'xml':
      return (view) => textOf(view.shared?.[name])
    default: {
      const fallback = defaultOf(field, [name])
      return ({ values }) => {
        const value = values[name]
        return value === undefined ? fallback : frozen(value)
      }
    }
  }
}

interface RowMeta {
  readonly status: EntityStatus
  readonly version: EntityVersion
  readonly conflicts: Readonly<Record<string, readonly FieldConflict[]>>
  readonly error: OperationFailure | undefined
}

/** A root whose content is of another kind than the schema says reads as empty. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function listOf(field: ListField, value: unknown): unknown {
  return Array.isArray(value) ? frozen([...distinct(field, value)] as StorableValue[]) : NO_ELEMENTS
}

const NO_ELEMENTS: readonly never[] = Object.freeze([])

function conflictsOf(view: EntityView): Readonly<Record<string, readonly FieldConflict[]>> {
  if (view.conflicts === undefined) return NO_CONFLICTS
  const conflicts: Record<string, readonly FieldConflict[]> = {}
  for (const [field, rivals] of Object.entries(view.conflicts)) {
    if (field === DELETED_FIELD || field === SCHEMA_FIELD) continue
    conflicts[field] = Object.freeze(
      rivals.map((rival) =>
        Object.freeze({ ...rival, value: frozen(rival.value), user: userOf(rival.actor) }),
      ),
    )
  }
  return Object.freeze(conflicts)
}
