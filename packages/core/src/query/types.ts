import type { EntityFields, Fields } from '../schema/index.js'

/** A value that can be read now and watched. */
export interface Readable<T> {
  /** The value now; the same object until it changes. */
  readonly current: T
  /** Calls `listener` after each change, until the returned function is called. */
  subscribe(listener: (value: T) => void): () => void
}

/** How safe an entity is. */
export type EntityStatus = 'pending' | 'syncing' | 'synced' | 'stale' | 'error'

export interface EntityVersion {
  /** How often the entity was modified (RFC 5545 SEQUENCE). */
  readonly sequence: number
  /** Hybrid-logical time of the last modification, in microseconds since the Unix epoch. */
  readonly lastModified: number
  /** The space sequence that confirmed it; null while anything is pending on it. */
  readonly confirmedSequence: number | null
}

/** Values that were written without knowledge of each other. The first one is what the field shows. */
export interface FieldConflict {
  readonly value: unknown
  /** The user who wrote it. */
  readonly user: string
  /** Who wrote it, down to the device: `user/replica/writer`. */
  readonly actor: string
  /** Microseconds since the Unix epoch. */
  readonly lastModified: number
}

export interface EntityMeta {
  readonly $status: EntityStatus
  readonly $version: EntityVersion
  /** By field, every live value, the winning one first; empty when there is no conflict. */
  readonly $conflicts: Readonly<Record<string, readonly FieldConflict[]>>
  /**
   * Why `$status` is `error`: the relay's code and words. Whatever the status, `migration-failed` says that the values are
   * those of an older version of the schema.
   */
  readonly $error: { readonly code: string; readonly message: string } | undefined
}

export type EntityRow<F extends Fields = Fields> = { readonly id: string } & EntityFields<F> &
  EntityMeta

export type OrderBy<F extends Fields> = readonly [
  field: (keyof F & string) | 'id' | '$lastModified',
  direction?: 'asc' | 'desc',
]

export interface QueryOptions<F extends Fields> {
  /** An object (every given field equals: found by an index) or a function (asked about every row). */
  readonly where?: Partial<EntityFields<F>> | ((row: EntityRow<F>) => boolean)
  /** One order or several, the first one weighing most. Ties go by id. */
  readonly orderBy?: OrderBy<F> | readonly OrderBy<F>[]
  /** A whole number from 0 up. */
  readonly limit?: number
}

/** `current` is the frozen array of matching rows. */
export type LiveQuery<Row> = Readable<readonly Row[]>
