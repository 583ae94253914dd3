import { isTidemarkError } from '@tidemark/core'
import { CLOSE_CODES } from '@tidemark/core/protocol'

/** Why a connection ends, with its close code. Thrown while a message is handled, caught by its session. */
export class Refusal extends Error {
  override readonly name: string = 'Refusal'
  readonly code: number

  constructor(code: number, reason: string) {
    super(reason)
    this.code = code
  }
}

export function refusalOf(error: unknown): { readonly code: number; readonly reason: string } {
  if (error instanceof Refusal) return { code: error.code, reason: error.message }
  if (isTidemarkError(error) && error.code === 'protocol-violation') {
    return { code: CLOSE_CODES.protocolViolation, reason: 'The frame is malformed.' }
  }
  return { code: CLOSE_CODES.overloaded, reason: 'Something failed here; try again later.' }
}
