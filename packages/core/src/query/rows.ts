import {
  counterValue,
  DELETED_FIELD,
  type EntityView,
  frozen,
  isDeleted,
  type StorableValue,
  setElements,
  userOf,
} from '../entity/index.js'
import type { EntityState } from '../replica/index.js'
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
import type { EntityRow, EntityStatus, FieldConflict } from './types.js'

/** Turns an entity's registers into the frozen object that apps read. One per collection. */
export interface RowFactory<F extends Fields> {
  /** `undefined` for what is missing or deleted. */
  row(entity: EntityState, status: EntityStatus): EntityRow<F> | undefined
  /** The same inside of a transaction, where there is no status yet. */
  preview(id: string, view: EntityView): EntityRow<F> | undefined
  /** What the row shows in a field, without building it; `ABSENT` without a row, and for what is no field. */
  value(entity: EntityState, field: string): unknown
}

const NO_CONFLICTS: Readonly<Record<string, readonly FieldConflict[]>> = Object.freeze({})

export function createRowFactory<F extends Fields>(fields: F): RowFactory<F> {
  const readers = new Map<string, Reader>()
  for (const [name, field] of Object.entries(fields)) readers.set(name, readerOf(name, field))

  function values(id: string, view: EntityView): Record<string, unknown> {
    const row: Record<string, unknown> = { id }
    for (const [name, read] of readers) row[name] = read(view)
    return row
  }

  return {
    row(entity, status) {
      if (!isShown(entity)) return undefined
      const { view } = entity
      const [failed] = entity.failed
      return Object.freeze({
        ...values(entity.id, view),
        $status: status,
        $version: Object.freeze({
          sequence: entity.sequence,
          lastModified: entity.lastModified,
          confirmedSequence:
            entity.pending.length > 0 ? null : (entity.confirmed?.confirmedSequence ?? null),
        }),
        $conflicts: conflictsOf(view),
        $error: failed?.failure ?? undefined,
      }) as EntityRow<F>
    },
    preview(id, view) {
      if (isDeleted(view)) return undefined
      return Object.freeze({
        ...values(id, view),
        $status: 'pending',
        $version: Object.freeze({
          sequence: view.sequence,
          lastModified: view.lastModified,
          confirmedSequence: null,
        }),
        $conflicts: conflictsOf(view),
        $error: undefined,
      }) as unknown as EntityRow<F>
    },
    value(entity, field) {
      if (!isShown(entity)) return ABSENT
      if (field === 'id') return entity.id
      if (field === '$lastModified') return entity.lastModified
      const value = readers.get(field)?.(entity.view)
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
    if (field === DELETED_FIELD) continue
    conflicts[field] = Object.freeze(
      rivals.map((rival) =>
        Object.freeze({ ...rival, value: frozen(rival.value), user: userOf(rival.actor) }),
      ),
    )
  }
  return Object.freeze(conflicts)
}
