import {
  DELETED_FIELD,
  decodeContent,
  type EntityView,
  mergeUpdates,
  SCHEMA_FIELD,
  type StorableValue,
  viewOf,
} from '@tidemark/core/entity'
import type { EntityHead, EntityRef } from '../storage/index.js'

/** An entity for people and other programs: its values, without the documents that they come from. */
export interface PlainEntity {
  readonly collection: string
  readonly id: string
  readonly generation: string
  readonly version: {
    readonly sequence: number
    /** Microseconds since the epoch. */
    readonly lastModified: number
    readonly confirmedSequence: number
  }
  /** Milliseconds since the epoch; null for an entity that is there. */
  readonly deletedAt: number | null
  /** The version of the app's schema that it was written for. */
  readonly schema: number
  /** By field. A set is the list of its elements, a counter its sum; texts and XML are strings. */
  readonly values: Readonly<Record<string, unknown>>
  /** By field or `set:element`, values that were written in ignorance of each other, the one that is shown first. */
  readonly conflicts: NonNullable<EntityView['conflicts']>
}

/** @throws TidemarkError `corrupt` */
export function plainEntity(
  ref: EntityRef,
  head: EntityHead,
  log: readonly Uint8Array[],
): PlainEntity {
  const view = viewOf(decodeContent(mergeUpdates(log)))
  const { [DELETED_FIELD]: deleted, [SCHEMA_FIELD]: schema, ...registers } = view.values
  return {
    collection: ref.collection,
    id: ref.id,
    generation: head.generation,
    version: {
      sequence: head.versionSequence,
      lastModified: head.lastModified,
      confirmedSequence: head.sequence,
    },
    deletedAt: typeof deleted === 'number' ? deleted : null,
    schema: typeof schema === 'number' ? schema : 1,
    values: { ...fieldsOf(registers), ...view.shared },
    conflicts: view.conflicts ?? {},
  }
}

/** A field with several registers is a set, whose elements hold `true`, or a counter, whose parts are numbers. */
function fieldsOf(registers: Readonly<Record<string, StorableValue>>): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  const sets = new Map<string, string[]>()
  const counters = new Map<string, number>()
  for (const [key, value] of Object.entries(registers)) {
    const colon = key.indexOf(':')
    if (colon < 0) {
      fields[key] = value
      continue
    }
    const field = key.slice(0, colon)
    if (typeof value === 'number') counters.set(field, (counters.get(field) ?? 0) + value)
    else sets.set(field, [...(sets.get(field) ?? []), key.slice(colon + 1)])
  }
  for (const [field, elements] of sets) fields[field] = elements.sort()
  for (const [field, sum] of counters) fields[field] = sum
  return fields
}
