import type { Replica, Restamping } from '../replica/index.js'
import type { Persistence } from './persistence.js'
import { planRestamp, restampReadSet } from './restamping.js'

/** Stamping the outbox anew after the relay has refused a time in it [L7]. */
export interface DriftCorrection {
  /** Nothing may be sent before it is done. */
  readonly isDue: boolean
  /**
   * The relay refused an operation for its times. True while that costs nothing and the app needn't know: a clock that is
   * set right once is right. An operation that is refused on and on waits as after any other refusal.
   */
  refused(id: string): boolean
  accepted(id: string): void
  /**
   * Stamps everything that waits anew, unless `isIdle` says that something is under way: its fate has to be known first
   * [L10]. False when it has to be tried again.
   */
  run(isIdle: () => boolean): Promise<boolean>
  /** The link is gone: the next one will tell. */
  down(): void
}

export interface DriftHost {
  readonly replica: Replica
  readonly persistence: Persistence
  freshClient(): { readonly client: number; readonly clients: readonly number[] }
  /** What new stamps are made of, for writing under a client id that nobody has used. */
  restamping(client: number): Restamping
}

/** The clock may be set once more while the first correction is under way; more often than that it is no accident. */
const SILENT_CORRECTIONS = 3

export function createDriftCorrection({
  replica,
  persistence,
  freshClient,
  restamping,
}: DriftHost): DriftCorrection {
  const refusals = new Map<string, number>()
  let isDue = false
  return {
    get isDue() {
      return isDue
    },
    refused(id) {
      isDue = true
      const count = (refusals.get(id) ?? 0) + 1
      refusals.set(id, count)
      return count <= SILENT_CORRECTIONS
    },
    accepted: (id) => void refusals.delete(id),
    async run(isIdle) {
      let isNeeded = true
      const written = await persistence.writeOnLatest(() => {
        if (!isIdle()) return undefined
        const read = restampReadSet(replica)
        isNeeded = read.entities.length > 0
        if (!isNeeded) return undefined
        const fresh = freshClient()
        const times = restamping(fresh.client)
        return { read, decide: (rows) => planRestamp(read, rows, fresh, times) }
      })
      if (isNeeded && !written?.committed) return false
      isDue = false
      return true
    },
    down() {
      isDue = false
    },
  }
}
