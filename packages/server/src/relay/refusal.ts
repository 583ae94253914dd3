import { isTidemarkError } from '@tidemark/core'
import { CLOSE_CODES } from '@tidemark/core/protocol'
import type { Limits } from './limits.js'

/** Why a connection ends, with its close code. Thrown while a message is handled, caught by its session. */
export class Refusal extends Error {
  override readonly name: string = 'Refusal'
  readonly code: number
  /** The limit that was hit. */
  readonly limit: keyof Limits | undefined

  constructor(code: number, reason: string, limit?: keyof Limits) {
    super(reason)
    this.code = code
    this.limit = limit
  }
}

export function refusalOf(error: unknown): {
  readonly code: number
  readonly reason: string
  readonly limit?: keyof Limits | undefined
} {
  if (error instanceof Refusal)
    return { code: error.code, reason: error.message, limit: error.limit }
  if (isTidemarkError(error) && error.code === 'protocol-violation') {
    return { code: CLOSE_CODES.protocolViolation, reason: 'The frame is malformed.' }
  }
  return { code: CLOSE_CODES.overloaded, reason: 'Something failed here; try again later.' }
}
