import type { Rejection } from './verdict.js'

/** What was decided about an operation, and on what state of its entities. */
export interface Decision {
  /** For each part the sequence that had changed its entity last. */
  readonly bases: readonly number[]
  /** How often it was decided. */
  readonly round: number
  /** Undefined: it may be stored. */
  readonly refusal: Rejection | undefined
}

/** Nothing was written, since something outside of the relay has still to say whether it may be. */
export interface DecidedLater {
  readonly kind: 'decidedLater'
  readonly decision: Promise<Decision>
  /** What counts when that fails or takes too long. */
  late(error: unknown): Decision
}
