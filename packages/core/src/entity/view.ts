import type { EntityContent, LiveElement } from './register-log.js'
import { compareStamps } from './stamp.js'
import { type StorableValue, sameValue } from './value.js'
import type { SharedValues } from './yjs/index.js'

/** The register that holds a tombstone: the time of deletion in milliseconds, or null once restored. */
export const DELETED_FIELD = '$deleted'

/** The register that holds the version of the schema that the values were written for; absent: 1. */
export const SCHEMA_FIELD = '$schema'

/**
 * The modification counter of a write that a migration made: nobody meant it. Beside a value that somebody wrote without
 * knowledge of it, it gives way and is no rival. Every other write counts from 1.
 */
export const DERIVED_SEQUENCE = 0

export interface ConflictingValue {
  readonly value: StorableValue
  readonly actor: string
  readonly lastModified: number
}

/** An entity as values: what is shown, queried and stored beside its bytes. Plain and cloneable. */
export interface EntityView {
  /** By register key, the value of the live element with the greatest stamp. */
  readonly values: Readonly<Record<string, StorableValue>>
  /** By register key, live elements of different values, the winner first [L3]; undefined when there are none. */
  readonly conflicts: Readonly<Record<string, readonly ConflictingValue[]>> | undefined
  /** By field, what texts, lists and XML show; undefined when there are none. */
  readonly shared: SharedValues | undefined
  /** The greatest modification counter among the live elements. */
  readonly sequence: number
  /** The greatest time among the live elements, in microseconds. */
  readonly lastModified: number
}

export function viewOf({ live, shared }: EntityContent): EntityView {
  const values: Record<string, StorableValue> = {}
  let sequence = 0
  let lastModified = 0
  let fields = 0
  for (const element of live) {
    if (element.sequence > sequence) sequence = element.sequence
    if (element.lastModified > lastModified) lastModified = element.lastModified
    if (!Object.hasOwn(values, element.field)) fields += 1
    values[element.field] = element.value
  }
  const conflicts = fields < live.length ? settle(live, values) : undefined
  return { values, conflicts, shared: shared(), sequence, lastModified }
}

/** Puts the winner's value in the place of whichever came last, and tells the conflicts. */
function settle(
  live: readonly LiveElement[],
  values: Record<string, StorableValue>,
): EntityView['conflicts'] {
  const rivals = new Map<string, LiveElement[]>()
  for (const element of live) {
    const list = rivals.get(element.field)
    if (list === undefined) rivals.set(element.field, [element])
    else list.push(element)
  }
  let conflicts: Record<string, readonly ConflictingValue[]> | undefined
  for (const [field, elements] of rivals) {
    elements.sort((a, b) => compareElements(b, a))
    const [winner] = elements
    if (winner !== undefined) values[field] = winner.value
    const written = elements.filter(isWritten)
    const distinct = (written.length > 0 ? written : elements).filter(
      (element, index, sorted) =>
        !sorted.slice(0, index).some((other) => sameValue(other.value, element.value)),
    )
    if (distinct.length < 2) continue
    conflicts ??= {}
    conflicts[field] = distinct.map(({ value, actor, lastModified }) => ({
      value,
      actor,
      lastModified,
    }))
  }
  return conflicts
}

/** Orders live elements of one field; the greatest is shown. */
function compareElements(a: LiveElement, b: LiveElement): number {
  return Number(isWritten(a)) - Number(isWritten(b)) || compareStamps(a, b)
}

function isWritten({ sequence }: LiveElement): boolean {
  return sequence !== DERIVED_SEQUENCE
}

export function isDeleted(view: EntityView): boolean {
  return typeof view.values[DELETED_FIELD] === 'number'
}

/** The newest version of the schema that anything in the entity was written for. */
export function schemaVersionOf({ values, conflicts }: EntityView): number {
  const rivals = conflicts?.[SCHEMA_FIELD]?.map(({ value }) => value) ?? []
  const versions = [values[SCHEMA_FIELD], ...rivals].filter((value) => Number.isSafeInteger(value))
  return Math.max(1, ...versions.map(Number))
}

/** The elements of a set field, ascending. */
export function setElements({ values }: EntityView, field: string): string[] {
  return registersOf(values, field).sort()
}

/** The value of a counter field: what all of its client ids have counted [L5]. */
export function counterValue({ values }: EntityView, field: string): number {
  return registersOf(values, field).reduce((sum, client) => {
    const value = values[`${field}:${client}`]
    return typeof value === 'number' ? sum + value : sum
  }, 0)
}

/** What follows the colon in the registers of a field that has several. */
function registersOf(values: EntityView['values'], field: string): string[] {
  const prefix = `${field}:`
  return Object.keys(values)
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length))
}
