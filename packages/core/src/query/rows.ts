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
import type { EntityState, OperationFailure } from '../replica/index.js'
import {
  defaultOf,
  distinct,
  type Fields,
  isListField,
  kindOf,
  type ListField,
} from '../schema/index.js'
import type { EntityRow, EntityStatus, EntityVersion, FieldConflict } from './types.js'

/** Turns an entity's registers into the frozen object that apps read. One per collection. */
export interface RowFactory<F extends Fields> {
  /** `undefined` for what is missing or deleted. */
  row(entity: EntityState, status: EntityStatus): EntityRow<F> | undefined
  /** The same inside of a transaction, where there is no status yet. */
  preview(id: string, view: EntityView): EntityRow<F> | undefined
}

const NO_CONFLICTS: Readonly<Record<string, readonly FieldConflict[]>> = Object.freeze({})

export function createRowFactory<F extends Fields>(fields: F): RowFactory<F> {
  const registers: { readonly name: string; readonly fallback: unknown }[] = []
  const shared: { readonly name: string; readonly read: (value: unknown) => unknown }[] = []
  const sets: string[] = []
  const counters: string[] = []
  for (const [name, field] of Object.entries(fields)) {
    const kind = kindOf(field)
    if (kind === 'set') sets.push(name)
    else if (kind === 'counter') counters.push(name)
    else if (isListField(field)) shared.push({ name, read: (value) => listOf(field, value) })
    else if (kind === 'text' || kind === 'xml') shared.push({ name, read: textOf })
    else registers.push({ name, fallback: defaultOf(field, [name]) })
  }

  function values(id: string, view: EntityView): Record<string, unknown> {
    const row: Record<string, unknown> = { id }
    for (const { name, fallback } of registers) {
      const value = view.values[name]
      row[name] = value === undefined ? fallback : frozen(value)
    }
    for (const name of sets) row[name] = Object.freeze(setElements(view, name))
    for (const name of counters) row[name] = counterValue(view, name)
    for (const { name, read } of shared) row[name] = read(view.shared?.[name])
    return row
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
      const { view, confirmed, pending, failed } = entity
      if ((confirmed === undefined && pending.length === 0) || isDeleted(view)) return undefined
      const confirmedSequence = pending.length > 0 ? null : (confirmed?.confirmedSequence ?? null)
      return finish(values(entity.id, view), {
        status,
        version: {
          sequence: entity.sequence,
          lastModified: entity.lastModified,
          confirmedSequence,
        },
        conflicts: conflictsOf(view),
        error: failed[0]?.failure ?? undefined,
      })
    },
    preview(id, view) {
      if (isDeleted(view)) return undefined
      const { sequence, lastModified } = view
      return finish(values(id, view), {
        status: 'pending',
        version: { sequence, lastModified, confirmedSequence: null },
        conflicts: conflictsOf(view),
        error: undefined,
      })
    },
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
    if (field === DELETED_FIELD) continue
    conflicts[field] = Object.freeze(
      rivals.map((rival) =>
        Object.freeze({ ...rival, value: frozen(rival.value), user: userOf(rival.actor) }),
      ),
    )
  }
  return Object.freeze(conflicts)
}
