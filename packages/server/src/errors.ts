/** Why a relay did not start. Stable: scripts may branch on them; docs/operations.md lists them. */
export type RelayStartErrorCode =
  /** The data directory can't be made, read or written. */
  | 'data-unwritable'
  /** Another relay has the database open. */
  | 'data-locked'
  /** The file is not a database of a relay. */
  | 'data-foreign'
  /** The database was written by a version of the relay whose data this one can't read any more. */
  | 'data-older'
  /** The database was written by a newer version of the relay. */
  | 'data-newer'
  /** Part of the data is missing, or belongs to another database. */
  | 'data-incomplete'
  /** The database can't be read any more. */
  | 'data-damaged'
  /** There is no database where one should be. */
  | 'data-missing'
  /** A restore into the data directory was interrupted. */
  | 'restore-unfinished'
  /** The database does not promise that a commit survives a power failure. */
  | 'not-durable'
  /** Something else listens on that address. */
  | 'address-in-use'
  /** The address does not exist here, or may not be used. */
  | 'address-unusable'
  /** Without authentication a relay listens on loopback only. */
  | 'host-not-loopback'
  /** The directory to serve files from does not exist. */
  | 'public-missing'
  /** What stands for a trusted proxy is neither an address nor a network. */
  | 'proxy-invalid'
  /** There is no such limit, or its value is none. */
  | 'limit-invalid'
  /** The configuration file that was named is not there. */
  | 'config-missing'
  /** The configuration file can't be run, or exports no configuration. */
  | 'config-unreadable'
  /** A setting has a value that it can't have; the message names its key. */
  | 'config-invalid'

/** Thrown by `createRelayServer` and `openSqliteStorage`; its message says what to do next. */
export class RelayStartError extends Error {
  override readonly name: string = 'RelayStartError'
  readonly code: RelayStartErrorCode

  constructor(
    code: RelayStartErrorCode,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options)
    this.code = code
  }
}

/** @param key of the setting, such as `auth.jwt.secret` */
export function configInvalid(key: string, what: string): RelayStartError {
  return new RelayStartError('config-invalid', `The setting ${key} ${what}.`)
}
