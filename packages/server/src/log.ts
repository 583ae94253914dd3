type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void

/** Structured log, the shape of pino's. Fields never hold a token or the content of an entity. */
export interface Log {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
}

const ignore: Write = () => {}

export const silentLog: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore }
