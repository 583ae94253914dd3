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
    this.#release(({ stage }) => stage === 'saved')
  }

  synced(): void {
    this.#reached = 'synced'
    this.#release(() => true)
  }

  failed(error: TidemarkError): void {
    this.#error = error
    const waiters = this.#waiters
    this.#waiters = NOBODY
    for (const { reject } of waiters) reject(error)
  }

  when(stage: OperationStage): Promise<void> {
    if (this.#reached === 'synced' || this.#reached === stage) return Promise.resolve()
    if (this.#error !== undefined) return Promise.reject(this.#error)
    return new Promise((resolve, reject) => {
      this.#waiters = [...this.#waiters, { stage, resolve, reject }]
    })
  }

  #release(has: (waiter: Waiter) => boolean): void {
    const waiters = this.#waiters
    if (waiters.length === 0) return
    this.#waiters = waiters.filter((waiter) => !has(waiter))
    for (const waiter of waiters) if (has(waiter)) waiter.resolve()
  }
}

const NOBODY: readonly Waiter[] = []
