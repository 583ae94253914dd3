import type { EntityView, ItemRun, RegisterWrite } from '../entity/index.js'

export interface EntityRef {
  readonly collection: string
  readonly id: string
}

/** `collection/id`: collections hold no slash (`COLLECTION_NAME`). */
export type EntityKey = string

export function keyOf(ref: EntityRef): EntityKey {
  return `${ref.collection}/${ref.id}`
}

/** The confirmed snapshot of an entity: everything that the relay has durably acknowledged. One stored row. */
export interface ConfirmedEntity extends EntityRef {
  readonly generation: string
  /** The document, Yjs update format v1. */
  readonly bytes: Uint8Array
  /** The size of `bytes` when they were last re-encoded through a document [L17]. */
  readonly compactedSize: number
  /** The last space sequence that changed it. */
  readonly confirmedSequence: number
  /** The greatest modification counter of elements and envelopes [L6]. */
  readonly sequence: number
  /** The greatest time of elements and envelopes, microseconds [L6]. */
  readonly lastModified: number
  /** `bytes` as values, so that reading needs no decoding. */
  readonly view: EntityView
  /** Set while the relay lacks something of it that this device has to bring back [L22]. */
  readonly owed?: Owed
}

/** Something that is handed back to a relay. */
export interface Owed {
  /** The id of the operation that brings it back. */
  readonly id: string
  /** Whether the relay has asked for it. Otherwise its database is an older one, and it can't know. */
  readonly isAsked: boolean
}

/** One entity's share of a pending operation: what it means, and the bytes that say it now. */
export interface PendingPart extends EntityRef {
  readonly kind: 'create' | 'update'
  readonly generation: string
  readonly sequence: number
  readonly lastModified: number
  /** What it does to fields. */
  readonly writes: readonly RegisterWrite[]
  /** What it does to text, lists and XML, as a Yjs update of its own; null when nothing. */
  readonly edit: Uint8Array | null
  /** The Yjs client id that `update` and `edit` were written under. */
  readonly client: number
  /** `edit` and `writes` as the bytes that are sent. */
  readonly update: Uint8Array
}

export interface OperationFailure {
  readonly code: string
  readonly message: string
}

/** An operation that is applied here and not confirmed yet. One stored row of the outbox. */
export interface PendingOperation {
  readonly id: string
  /** Milliseconds since the epoch; for people, never for order [L9]. */
  readonly createdAt: number
  readonly parts: readonly PendingPart[]
  /** Set once it is parked: it has left the chain and waits for a person [L12]. */
  readonly failure: OperationFailure | null
}

/** A row of the outbox as stored: `order` is its place, given out by the storage [L9]. */
export interface StoredOperation extends PendingOperation {
  readonly order: number
}

/** Text of an entity that was said again under other ids [L15]. */
export interface MovedText extends ItemRun {
  readonly entity: EntityKey
}

/** An entity as somebody wanted to keep it. One of the few that are kept of each entity. */
export interface StoredSnapshot {
  readonly id: string
  readonly label: string
  /** Milliseconds since the epoch. */
  readonly takenAt: number
  /** When it was taken or restored last; the one that was used longest ago goes first. */
  readonly usedAt: number
  readonly view: EntityView
}

/**
 * Why an operation left that its author took back. Its row stays for a while without what it said, so that a tab that slept
 * hears that it was taken back, and doesn't think that the relay has it.
 */
export const ROLLED_BACK: OperationFailure = {
  code: 'rolled-back',
  message: 'It was rolled back before the relay had it.',
}

/** Whether nothing of an operation is left but the word that it was taken back. */
export function isRolledBack({ failure }: PendingOperation): boolean {
  return failure?.code === ROLLED_BACK.code
}
