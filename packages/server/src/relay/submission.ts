import type { WireOperation } from '@tidemark/core/protocol'
import type { Author } from './ports.js'
import type { Rejection } from './verdict.js'

/** An operation with who sent it and where to. */
export interface Submission {
  readonly space: string
  readonly author: Author
  readonly operation: WireOperation
  /** It is one too many, and is refused with this unless it was accepted before. */
  readonly refusal?: Rejection | undefined
  /** Is told how many stored bytes had to be gone through for it. */
  readonly worked?: (bytes: number) => void
  /** It brings back what the relay has lost: its author vouches for what others wrote [L22]. */
  readonly isHandBack?: boolean
}
