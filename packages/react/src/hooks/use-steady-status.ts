import type { EntityStatus } from '@tidemark/core'
import { useEffect, useState } from 'react'
import { type IsPassing, observe, startSteady, waited } from './steady.js'

/**
 * What to show of a status. `settling`: a change is being saved and has not taken long enough to be
 * worth a spinner; show neither a check mark nor a spinner.
 */
export type SteadyStatus = EntityStatus | 'settling'

/** In milliseconds. On a healthy connection a change is confirmed well within this. */
const DEFAULT_DELAY = 300

const isSaving = (status: EntityStatus | undefined): boolean =>
  status === 'pending' || status === 'syncing'

/**
 * A status without flicker: `pending` and `syncing` appear only when they last `delay` milliseconds
 * (default 300), everything else appears at once. Never gives `synced` while the status is another.
 */
export function useSteadyStatus<Status extends EntityStatus | undefined>(
  status: Status,
  { delay = DEFAULT_DELAY }: { readonly delay?: number | undefined } = {},
): Status | 'settling' {
  return useSteady(status, isSaving, delay)
}

/** `value` as it should be shown: one that is passing appears only when it lasts `delay` milliseconds. */
export function useSteady<Value>(
  value: Value,
  isPassing: IsPassing<Value>,
  delay: number = DEFAULT_DELAY,
): Value | 'settling' {
  const [committed, setSteady] = useState(() => startSteady(value, isPassing))
  // While rendering and not in an effect: an effect comes after a paint with the old appearance.
  const steady = observe(committed, value, isPassing)
  if (steady !== committed) setSteady(steady)

  const { wait } = steady
  useEffect(() => {
    if (wait === undefined) return
    const timer = setTimeout(() => setSteady((current) => waited(current, wait)), delay)
    return () => clearTimeout(timer)
  }, [wait, delay])

  return delay > 0 ? steady.shown : value
}
