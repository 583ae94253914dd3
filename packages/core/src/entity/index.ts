/**
 * The entity document: register log, values, versions, and the strict reading of foreign updates.
 * Pure: functions over bytes and values. May import `errors`, yjs and lib0; knows nothing of schemas,
 * storage, sockets or time. Used by clients and by the relay.
 */
export { createHybridClock, type HybridClock, MAX_CLOCK_DRIFT_MS } from './hybrid-clock.js'
export { COLLECTION_NAME, ENTITY_ID, isRegisterKey, SPACE_NAME, USER_ID } from './names.js'
export {
  decodeContent,
  type Element,
  EMPTY_CONTENT,
  type EntityContent,
  type LiveElement,
  type RegisterWrite,
  registerRoot,
  removalsAfter,
  type WrittenContent,
  writeRegisters,
} from './register-log.js'
export {
  type ActorParts,
  compareStamps,
  formatActor,
  type Stamp,
  sameStamp,
  userOf,
} from './stamp.js'
export {
  type UpdateContext,
  type UpdateLimits,
  type ValidatedUpdate,
  validateUpdate,
} from './validate.js'
export { frozen, type StorableValue, sameValue } from './value.js'
export {
  type ConflictingValue,
  DELETED_FIELD,
  type EntityView,
  isDeleted,
  viewOf,
} from './view.js'
export { clocksOf, compactUpdate, type ItemId, mergeUpdates } from './yjs.js'
