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
import type { EntityState } from '../replica/index.js'
import {
  defaultOf,
  distinct,
  type Fields,
  isListField,
  kindOf,
  type ListField,
} from '../schema/index.js'
import type { EntityMeta, EntityRow, EntityStatus, FieldConflict } from './types.js'

/** Turns an entity's registers into the frozen object that apps read. One per collection. */
export interface RowFactory<F extends Fields> {
  /** `undefined` for what is missing or deleted. */
  row(entity: EntityState, status: EntityStatus): EntityRow<F> | undefined
  /** The same inside of a transaction, where there is no status yet. */
  preview(id: string, view: EntityView): EntityRow<F> | undefined
}

interface Migrated {
  readonly view: EntityView
  readonly failure: EntityMeta['$error']
}

const NO_CONFLICTS: Readonly<Record<string, readonly FieldConflict[]>> = Object.freeze({})

export function createRowFactory<F extends Fields>(
  fields: F,
  /** Brings an entity of an older version to the schema's; may throw `migration-failed`. */
  migrate: (id: string, view: EntityView) => EntityView = (_id, view) => view,
): RowFactory<F> {
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

  /** Reading never throws: what can't be migrated shows as it is. */
  function migrated(id: string, view: EntityView): Migrated {
    try {
      return { view: migrate(id, view), failure: undefined }
    } catch (error) {
      if (!isTidemarkError(error)) throw error
      const { code, message } = error
      return { view, failure: Object.freeze({ code, message }) }
    }
  }

  return {
    row(entity, status) {
      const [failed] = entity.failed
      const known = entity.confirmed !== undefined || entity.pending.length > 0
      if (!known || isDeleted(entity.view)) return undefined
      const { view, failure } = migrated(entity.id, entity.view)
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
        $error: failed?.failure ?? failure,
      }) as EntityRow<F>
    },
    preview(id, before) {
      if (isDeleted(before)) return undefined
      const { view, failure } = migrated(id, before)
      return Object.freeze({
        ...values(id, view),
        $status: 'pending',
        $version: Object.freeze({
          sequence: view.sequence,
          lastModified: view.lastModified,
          confirmedSequence: null,
        }),
        $conflicts: conflictsOf(view),
        $error: failure,
      }) as unknown as EntityRow<F>
    },
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
    if (field === DELETED_FIELD || field === SCHEMA_FIELD) continue
    conflicts[field] = Object.freeze(
      rivals.map((rival) =>
        Object.freeze({ ...rival, value: frozen(rival.value), user: userOf(rival.actor) }),
      ),
    )
  }
  return Object.freeze(conflicts)
}
