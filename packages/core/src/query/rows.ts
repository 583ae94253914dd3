import { DELETED_FIELD, type EntityView, frozen, isDeleted, userOf } from '../entity/index.js'
import type { EntityState } from '../replica/index.js'
import { defaultOf, type Fields, isSetField } from '../schema/index.js'
import { ABSENT } from './field-index.js'
import type { EntityRow, EntityStatus, FieldConflict } from './types.js'

/** Turns an entity's registers into the frozen object that apps read. One per collection. */
export interface RowFactory<F extends Fields> {
  /** `undefined` for what is missing or deleted. */
  row(entity: EntityState, status: EntityStatus): EntityRow<F> | undefined
  /** The same inside of a transaction, where there is no status yet. */
  preview(id: string, view: EntityView): EntityRow<F> | undefined
  /** What the row shows in a field, without building it; `ABSENT` without a row, and for sets: no index finds them. */
  value(entity: EntityState, field: string): unknown
}

const NO_CONFLICTS: Readonly<Record<string, readonly FieldConflict[]>> = Object.freeze({})

export function createRowFactory<F extends Fields>(fields: F): RowFactory<F> {
  const fallbacks = new Map<string, unknown>()
  const sets: string[] = []
  for (const [name, field] of Object.entries(fields)) {
    if (isSetField(field)) sets.push(name)
    else fallbacks.set(name, defaultOf(field, [name]))
  }

  function values(id: string, view: EntityView): Record<string, unknown> {
    const row: Record<string, unknown> = { id }
    for (const [name, fallback] of fallbacks) {
      const value = view.values[name]
      row[name] = value === undefined ? fallback : frozen(value)
    }
    for (const name of sets) row[name] = []
    if (sets.length > 0) {
      for (const key of Object.keys(view.values)) {
        const colon = key.indexOf(':')
        if (colon < 0) continue
        const elements = row[key.slice(0, colon)]
        if (Array.isArray(elements)) elements.push(key.slice(colon + 1))
      }
      for (const name of sets) Object.freeze((row[name] as string[]).sort())
    }
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
      if (!fallbacks.has(field)) return ABSENT
      const value = entity.view.values[field]
      return value === undefined ? fallbacks.get(field) : value
    },
  }
}

function isShown({ confirmed, pending, view }: EntityState): boolean {
  return (confirmed !== undefined || pending.length > 0) && !isDeleted(view)
}

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
