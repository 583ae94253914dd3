import type { Cancel, Clock } from '../platform/index.js'

/** Something that is looked at again after a while, for as long as there is a reason. */
export interface Watch {
  /** There may be a reason now. */
  consider(): void
  stop(): void
}

/**
 * Calls `look` every `milliseconds` while `wanted` says so. Hints can be lost; a status that depends on one has a watch.
 */
export function createWatch(
  clock: Clock,
  milliseconds: number,
  wanted: () => boolean,
  look: () => Promise<void>,
): Watch {
  let cancel: Cancel | undefined
  let stopped = false

  function consider(): void {
    if (stopped || cancel !== undefined || !wanted()) return
    cancel = clock.schedule(() => {
      void look()
        .catch(() => undefined)
        .finally(() => {
          cancel = undefined
          consider()
        })
    }, milliseconds)
  }

  return {
    consider,
    stop() {
      stopped = true
      cancel?.()
    },
  }
}
