/**
 * Everything that knows how Yjs lays out an update (format v1) and what its structs and documents look like inside.
 * The rest of core works on the plain values that come out of here. May import yjs, lib0 and plain types only.
 */
export { compactRegisters } from './compact-registers.js'
export {
  applyUpdates,
  captureUpdate,
  clockOf,
  containsUpdate,
  openDocument,
  readShared,
  type SharedValue,
  type SharedValues,
} from './document.js'
export { eraseItems } from './erase-items.js'
export { lackingIn, rootOf } from './lacking.js'
export { nestingOf } from './nesting.js'
export {
  createItemTable,
  type Former,
  type ItemRun,
  type ItemTable,
  movedRun,
} from './say-again.js'
export { takeBack } from './take-back.js'
export {
  clocksOf,
  compactDocument,
  decodeRuns,
  decoding,
  encodeAppend,
  endsOf,
  type ItemId,
  loadsWhole,
  mergeUpdates,
} from './update.js'
