import type { Role, WireOperation } from '@tidemark/core/protocol'
import type { Decision } from './decision.js'
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
  /** The author's role in the space, asked for when the operation is judged; undefined: none any more. */
  readonly role?: () => Role | undefined
  /** What was decided about it when it was judged before. */
  readonly decision?: Decision
  /** It brings back what the relay has lost: its author vouches for what others wrote [L22]. */
  readonly isHandBack?: boolean
}
