import type { TidemarkError } from '../errors.js'
import type { OperationStage } from './types.js'

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: TidemarkError) => void
}

/** How far one operation of this tab has come, and who waits for it. */
export interface Outcome {
  saved(): void
  synced(): void
  failed(error: TidemarkError): void
  when(stage: OperationStage): Promise<void>
}

export function createOutcome(): Outcome {
  let reached: 'applied' | 'saved' | 'synced' = 'applied'
  let error: TidemarkError | undefined
  const waiters: Record<OperationStage, Waiter[]> = { saved: [], synced: [] }

  function release(stage: OperationStage): void {
    for (const waiter of waiters[stage].splice(0)) waiter.resolve()
  }

  return {
    saved() {
      if (reached === 'applied') reached = 'saved'
      release('saved')
    },
    synced() {
      reached = 'synced'
      release('saved')
      release('synced')
    },
    failed(reason) {
      error = reason
      for (const waiter of [...waiters.saved.splice(0), ...waiters.synced.splice(0)])
        waiter.reject(reason)
    },
    when(stage) {
      if (reached === 'synced' || (stage === 'saved' && reached === 'saved'))
        return Promise.resolve()
      if (error !== undefined) return Promise.reject(error)
      return new Promise((resolve, reject) => waiters[stage].push({ resolve, reject }))
    },
  }
}
