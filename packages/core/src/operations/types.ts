/** How far an operation has come: on this device's disk, or fsynced by the relay. */
export type OperationStage = 'saved' | 'synced'

export type OperationState =
  /** Waits to be sent. */
  | 'pending'
  /** On its way. */
  | 'processing'
  /** The relay asked to send it again later. */
  | 'retrying'
  /** Rejected; waits for a person. */
  | 'failed'

/** An operation of the outbox as an app sees it. */
export interface OperationInfo {
  readonly id: string
  readonly state: OperationState
  readonly entities: readonly { readonly collection: string; readonly id: string }[]
  /** Milliseconds since the Unix epoch. */
  readonly createdAt: number
  /** What it writes, by entity in the order of `entities`; for showing it to a person. */
  readonly values: readonly Readonly<Record<string, unknown>>[]
  readonly attempts: number
  readonly lastError: { readonly code: string; readonly message: string } | undefined
}
