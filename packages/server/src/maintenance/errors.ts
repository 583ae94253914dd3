/** Why a maintenance command did nothing. Stable; docs/operations.md lists them. */
export type MaintenanceErrorCode =
  /** Another backup is being written to that directory. */
  | 'backup-running'
  /** Not a backup, or not one that can be trusted. */
  | 'backup-invalid'
  /** The data directory holds a database already. */
  | 'data-not-empty'
  /** Somebody reads the database, so that what was deleted can't be removed from its log. */
  | 'data-in-use'
  /** There is less free disk space than it takes. */
  | 'disk-full'
  /** The database is damaged. */
  | 'data-damaged'
  /** There is no such space. */
  | 'space-unknown'
  /** There is no such entity. */
  | 'entity-unknown'
  /** What was given is no name of a space, an entity or a user. */
  | 'name-invalid'
  /** Not an export that can be imported, or not all of it. */
  | 'export-invalid'
  /** What a user wrote can't be told from what others wrote. */
  | 'entangled'

/** Thrown by what `tidemark backup`, `restore`, `export` … do; its message says what to do next. */
export class MaintenanceError extends Error {
  override readonly name: string = 'MaintenanceError'
  readonly code: MaintenanceErrorCode

  constructor(
    code: MaintenanceErrorCode,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options)
    this.code = code
  }
}
