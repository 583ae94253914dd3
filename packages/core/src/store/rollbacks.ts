import { TidemarkError } from '../errors.js'
import type { Settlement } from '../sync/index.js'

/** Who waits for operations to be taken back. */
export interface Rollbacks {
  /** Resolves once the operation is gone. @throws TidemarkError `operation-synced` when the relay has it */
  wait(id: string): Promise<void>
  settle(settlement: Settlement): void
  end(error: TidemarkError): void
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: TidemarkError) => void
}

export function createRollbacks(): Rollbacks {
  const waiters = new Map<string, Waiter[]>()

  function take(id: string): readonly Waiter[] {
    const own = waiters.get(id) ?? []
    waiters.delete(id)
    return own
  }

  return {
    wait: (id) =>
      new Promise((resolve, reject) => {
        waiters.set(id, [...(waiters.get(id) ?? []), { resolve, reject }])
      }),
    settle({ kind, id }) {
      if (kind === 'saved') return
      for (const { resolve, reject } of take(id)) {
        if (kind === 'synced') reject(tooLate(id))
        else resolve()
      }
    },
    end(error) {
      for (const id of [...waiters.keys()]) for (const { reject } of take(id)) reject(error)
    },
  }
}

export function tooLate(id: string): TidemarkError {
  return new TidemarkError(
    'operation-synced',
    `Operation ${id} is with the relay, and others may have seen it. Undo it instead, which writes the former values.`,
  )
}
