/**
 * The replica: state(entity) = its confirmed snapshot ⊕ its pending operations.
 * Applying, confirming, rejecting and rebasing as functions over values. Pure: no storage, no sockets, no time.
 * May import `entity`, `schema` and `errors`.
 */
export { type ConfirmedChange, confirmChange } from './confirmed.js'
export { currentGeneration, currentLife } from './lives.js'
export {
  bequeath,
  createSayer,
  followItems,
  inheritSuperseded,
  itemTableOf,
  itemTableWithout,
  joinEdit,
  movedTexts,
  rebaseParts,
  type Sayer,
  sayPartAgain,
  withOrphans,
} from './rebase.js'
export { type Reading, reconcile } from './reconcile.js'
export {
  type ConfirmedEntity,
  type EntityKey,
  type EntityRef,
  isRolledBack,
  keyOf,
  type MovedText,
  type OperationFailure,
  type PendingOperation,
  type PendingPart,
  ROLLED_BACK,
  type StoredOperation,
  type StoredSnapshot,
} from './records.js'
export { createReplica, type EntityState, partsOn, type Replica } from './replica.js'
export {
  nameOf,
  noteRenames,
  type Restamping,
  renameInOperation,
  restampOperation,
  restampOperations,
  timesOf,
  withFormerNames,
} from './restamp.js'
