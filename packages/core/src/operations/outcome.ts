import type { TidemarkError } from '../errors.js'
import type { OperationStage } from './types.js'

interface Waiter {
  readonly stage: OperationStage
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
  return new KeptOutcome()
}

/** A class, since there is one for each operation that waits, and hardly anybody asks any of them. */
class KeptOutcome implements Outcome {
  #reached: 'applied' | 'saved' | 'synced' = 'applied'
  #error: TidemarkError | undefined
  #waiters: readonly Waiter[] = NOBODY

  saved(): void {
    if (this.#reached === 'applied') this.#reached = 'saved'
    this.#settle('saved')
  }

  synced(): void {
    this.#reached = 'synced'
    this.#settle()
  }

  failed(error: TidemarkError): void {
    this.#error = error
    this.#settle()
  }

  when(stage: OperationStage): Promise<void> {
    if (this.#reached === 'synced' || this.#reached === stage) return Promise.resolve()
    if (this.#error !== undefined) return Promise.reject(this.#error)
    return new Promise((resolve, reject) => {
      this.#waiters = [...this.#waiters, { stage, resolve, reject }]
    })
  }

  /** Those who wait for `only`, or all of them. */
  #settle(only?: OperationStage): void {
    const waiters = this.#waiters
    if (waiters === NOBODY) return
    this.#waiters = NOBODY
    for (const waiter of waiters) {
      if (only !== undefined && waiter.stage !== only) this.#waiters = [...this.#waiters, waiter]
      else if (this.#error === undefined) waiter.resolve()
      else waiter.reject(this.#error)
    }
  }
}

const NOBODY: readonly Waiter[] = []
