import { TidemarkError } from '../errors.js'
import { createOutcome, type Outcome } from '../operations/index.js'
import { type OperationFailure, ROLLED_BACK } from '../replica/index.js'
import type { Settlement } from '../sync/index.js'

/** What became of the operations of this tab, for whoever holds their handles. */
export interface Outcomes {
  track(id: string): Outcome
  settle(settlement: Settlement): void
  /** Nothing more will be heard of any of them. */
  end(): void
}

export function createOutcomes(): Outcomes {
  const outcomes = new Map<string, Outcome>()

  function last(id: string): Outcome | undefined {
    const outcome = outcomes.get(id)
    outcomes.delete(id)
    return outcome
  }

  return {
    track(id) {
      const outcome = createOutcome()
      outcomes.set(id, outcome)
      return outcome
    },
    settle(settlement) {
      const { kind, id } = settlement
      switch (kind) {
        case 'saved':
          outcomes.get(id)?.saved()
          break
        case 'synced':
          last(id)?.synced()
          break
        case 'failed':
          last(id)?.failed(failureError(id, settlement.failure))
          break
        case 'discarded':
          last(id)?.failed(
            new TidemarkError('operation-discarded', `Operation ${id} was discarded.`),
          )
          break
      }
    },
    end() {
      const closed = new TidemarkError(
        'store-closed',
        'The store was closed. What was saved is kept and goes on at the next start.',
      )
      for (const outcome of outcomes.values()) outcome.failed(closed)
      outcomes.clear()
    },
  }
}

function failureError(id: string, { code, message }: OperationFailure): TidemarkError {
  if (code === 'predecessor-rejected') return new TidemarkError(code, message)
  if (code === ROLLED_BACK.code) {
    return new TidemarkError('operation-discarded', `Operation ${id} was rolled back.`)
  }
  return new TidemarkError(
    'rejected',
    `The relay refused operation ${id}: ${message} Its changes were taken back here; store.operations keeps them for a retry.`,
    { reason: code },
  )
}
