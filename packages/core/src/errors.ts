/**
 * The one root of every error that Tidemark throws or hands to an app. `code` is stable and is what
 * a program should branch on; `message` says what happened, why, and what to do next, for a person.
 */
export type TidemarkErrorCode =
  /** The schema itself is wrong: a reserved or malformed name, or an asynchronous validator. */
  | 'schema-invalid'
  /** A value does not fit its field. `path` names the field. */
  | 'value-invalid'
  /** A migration of the schema threw, or gave what can't be stored. The entity can be read as it was, not written to. */
  | 'migration-failed'
  /** There is no entity with that id here. */
  | 'entity-missing'
  /** An entity with that id exists already. */
  | 'entity-exists'
  /** The entity is deleted; restore it first. */
  | 'entity-deleted'
  /** The store was used before `store.ready` had resolved. */
  | 'store-not-ready'
  /** The store was closed. */
  | 'store-closed'
  /** Unsent work would be lost; pass `force` to lose it on purpose. */
  | 'unsent-work'
  /** The local database can't be opened, read or written. */
  | 'storage-failed'
  /** No operation with that id waits here, or not in a state that allows the call. */
  | 'operation-missing'
  /** There is no snapshot with that id here (any more). */
  | 'snapshot-missing'
  /** An operation was dropped by a person before it was confirmed. */
  | 'operation-discarded'
  /** An operation can't be rolled back any more: the relay has it. */
  | 'operation-synced'
  /** An operation was parked because one that it builds on was rejected. */
  | 'predecessor-rejected'
  /** A frame or an update does not follow the protocol. */
  | 'protocol-violation'
  /** The structure of an update is not one that an honest client makes. */
  | 'update-invalid'
  /** An update builds on something that the receiver doesn't have (yet). */
  | 'update-gap'
  /** Stored bytes don't match their checksum. */
  | 'corrupt'
  /** The relay refused an operation; `reason` holds the relay's own code. */
  | 'rejected'
  /** The relay doesn't accept the token, or not for this space. */
  | 'unauthorized'
  /** A wait took longer than its deadline. */
  | 'timeout'

export interface TidemarkErrorOptions {
  readonly cause?: unknown
  /** Where in the data it went wrong, e.g. `['cards', 'title']`. */
  readonly path?: readonly (string | number)[]
  /** For `rejected`: the code that the relay gave. */
  readonly reason?: string
}

export class TidemarkError extends Error {
  override readonly name: string = 'TidemarkError'
  readonly code: TidemarkErrorCode
  readonly path: readonly (string | number)[] | undefined
  readonly reason: string | undefined

  constructor(code: TidemarkErrorCode, message: string, options: TidemarkErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.path = options.path
    this.reason = options.reason
  }
}

/** True for errors of Tidemark, also when they come from another copy of the package. */
export function isTidemarkError(error: unknown): error is TidemarkError {
  return error instanceof Error && error.name === 'TidemarkError' && 'code' in error
}

/** Marks code that the types say can't be reached. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${String(value)}`)
}
