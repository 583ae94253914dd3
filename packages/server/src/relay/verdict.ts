import type { RejectCode } from '@tidemark/core/protocol'

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
}

/** A refusal that sending the same again won't change. */
export function rejected(code: RejectCode, message: string): Rejection {
  return { kind: 'rejected', code, message, retryable: false, retryAfter: 0 }
}

/** A refusal for now. */
export function retryLater(code: RejectCode, message: string, retryAfter: number): Rejection {
  return { kind: 'rejected', code, message, retryable: true, retryAfter }
}
