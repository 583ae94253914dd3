import type { WireOperation } from '@tidemark/core/protocol'
import type { Author } from './ports.js'

/** An operation with who sent it and where to. */
export interface Submission {
  readonly space: string
  readonly author: Author
  readonly operation: WireOperation
  /** It brings back what the relay has lost: its author vouches for what others wrote [L22]. */
  readonly isHandBack?: boolean
}
