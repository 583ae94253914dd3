/**
 * Operations: what a local change means, how it is gathered, and what becomes of it.
 * May import `schema`, `entity`, `replica` and `errors`.
 */
export { createDraft, type DraftContext, type OperationDraft } from './draft.js'
export { createOutcome, type Outcome } from './outcome.js'
export { missing } from './refusals.js'
export type { RecordedPart } from './revert.js'
export type { OperationInfo, OperationStage, OperationState } from './types.js'
