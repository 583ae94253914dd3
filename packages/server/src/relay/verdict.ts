import type { RejectCode } from '@tidemark/core/protocol'
import type { Limits } from './limits.js'

/** What became of a pushed operation. */
export type Verdict =
  | { readonly kind: 'accepted'; readonly sequence: number; readonly digest: Uint8Array }
  /** Accepted before, under the same id [L10]. */
  | { readonly kind: 'known'; readonly sequence: number; readonly digest: Uint8Array }
  | Rejection

export interface Rejection {
  readonly kind: 'rejected'
  readonly code: RejectCode
  readonly message: string
  readonly retryable: boolean
  /** Milliseconds to wait at least. */
  readonly retryAfter: number
  /** The limit that it hit. */
  readonly limit?: keyof Limits
}

/** A refusal that sending the same again won't change. */
export function rejected(code: RejectCode, message: string): Rejection {
  return { kind: 'rejected', code, message, retryable: false, retryAfter: 0 }
}

/** A refusal for now. */
export function retryLater(code: RejectCode, message: string, retryAfter: number): Rejection {
  return { kind: 'rejected', code, message, retryable: true, retryAfter }
}

/** A refusal for something that is larger than it may be. */
export function tooLarge(limit: keyof Limits, message: string): Rejection {
  return { ...rejected('too-large', message), limit }
}
