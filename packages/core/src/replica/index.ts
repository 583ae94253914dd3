/**
 * The replica: state(entity) = its confirmed snapshot ⊕ its pending operations.
 * Applying, confirming, rejecting and rebasing as functions over values. Pure: no storage, no sockets, no time.
 * May import `entity`, `schema` and `errors`.
 */
export { type ConfirmedChange, confirmChange } from './confirmed.js'
export {
  bequeath,
  followItems,
  inheritSuperseded,
  itemTableWithout,
  joinEdit,
  movedItems,
  rebaseParts,
  sayPartAgain,
  withOrphans,
} from './rebase.js'
export {
  type ConfirmedEntity,
  type EntityKey,
  type EntityRef,
  FIRST_GENERATION,
  keyOf,
  type OperationFailure,
  type PendingOperation,
  type PendingPart,
  type StoredOperation,
} from './records.js'
export { createReplica, type EntityState, type Replica } from './replica.js'
