import type { Clock } from '../platform/index.js'
import type { OperationFailure } from '../replica/index.js'

export interface Retry {
  readonly attempts: number
  /** Milliseconds since the epoch, as the device's clock stood at the refusal. */
  readonly notBefore: number
  readonly error: OperationFailure
}

/** When operations that were refused for now go out again. */
export interface BackOff {
  of(id: string): Retry | undefined
  /** Notes a refusal. `atLeast` are the milliseconds that the relay asks for. */
  refused(id: string, error: OperationFailure, atLeast: number): Retry
  /** Milliseconds until it may go out; 0: now. */
  left(id: string): number
  forget(id: string): void
}

const RETRY_BASE_MS = 200
const RETRY_CAP_MS = 30_000

export function createBackOff(clock: Clock): BackOff {
  const retries = new Map<string, Retry & { readonly delay: number }>()
  return {
    of: (id) => retries.get(id),
    refused(id, error, atLeast) {
      const attempts = (retries.get(id)?.attempts ?? 0) + 1
      const backoff = Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** (attempts - 1))
      // "Predecessor first" [L20]: when that one is still under way, its answer is what we wait for.
      const delay = error.code === 'gap' && attempts === 1 ? 0 : Math.max(atLeast, backoff)
      const retry = { attempts, notBefore: clock.now() + delay, error, delay }
      retries.set(id, retry)
      return retry
    },
    left(id) {
      const retry = retries.get(id)
      if (retry === undefined) return 0
      const left = retry.notBefore - clock.now()
      // A clock that was set back by years must not hold anything back for years (CLK-1).
      return left > retry.delay ? 0 : Math.max(0, left)
    },
    forget: (id) => void retries.delete(id),
  }
}
