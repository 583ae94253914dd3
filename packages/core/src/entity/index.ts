/**
 * The entity document: register log, values, versions, and the strict reading of foreign updates.
 * Pure: functions over bytes and values. May import `errors`, yjs and lib0; knows nothing of schemas,
 * storage, sockets or time. Used by clients and by the relay.
 */
export { compactUpdate, mergeRegisters } from './compaction.js'
export { type Erasure, type ErasureContext, eraseWriter } from './erasure.js'
export {
  FIRST_GENERATION,
  GENERATION,
  lifeOf,
  nextLife,
  renewedGeneration,
} from './generation.js'
export { createHybridClock, type HybridClock, MAX_CLOCK_DRIFT_MS } from './hybrid-clock.js'
export {
  COLLECTION_NAME,
  ENTITY_ID,
  isFieldName,
  isRegisterKey,
  SPACE_NAME,
  USER_ID,
} from './names.js'
export {
  counterKey,
  decodeContent,
  type Element,
  EMPTY_CONTENT,
  type EntityContent,
  type LiveElement,
  type RegisterWrite,
  registerRoot,
  removalsAfter,
  skipItems,
  supersededBy,
  type WrittenContent,
  writeRegisters,
} from './register-log.js'
export { counterFieldOf, type RenewedDocument, renewDocument } from './renewal.js'
export { isDeletedDocument, readSharedEdit, type SharedEdit } from './shared-edit.js'
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
export { validateDocument } from './validate-document.js'
export { frozen, type StorableValue, sameValue } from './value.js'
export {
  type ConflictingValue,
  counterValue,
  DELETED_FIELD,
  DERIVED_SEQUENCE,
  type EntityView,
  isDeleted,
  SCHEMA_FIELD,
  schemaVersionOf,
  setElements,
  viewOf,
} from './view.js'
export {
  applyUpdates,
  captureUpdate,
  clockOf,
  clocksOf,
  containsUpdate,
  createItemTable,
  endsOf,
  type Former,
  type ItemId,
  type ItemRun,
  type ItemTable,
  mergeUpdates,
  movedRun,
  nestingOf,
  openDocument,
  readShared,
  type SharedValue,
  type SharedValues,
  takeBack,
} from './yjs/index.js'
