import type { JSX } from 'react'
import { useSteady, useSyncStatus } from '../hooks/index.js'
import { Icon, type IconName } from './icons.js'
import {
  type Activity,
  activityOf,
  type GlobalSyncIndicatorLabels,
  type GlobalSyncState,
  INDICATOR_LABELS,
  indicatorText,
} from './indicator-state.js'
import { useAnnouncement } from './use-announcement.js'
import { VisuallyHidden } from './visually-hidden.js'

export interface GlobalSyncIndicatorProps {
  /** Replaces some or all of the English texts. */
  readonly labels?: Partial<GlobalSyncIndicatorLabels> | undefined
}

const ICONS: Readonly<Record<GlobalSyncState, IconName>> = {
  idle: 'none',
  syncing: 'busy',
  waiting: 'waiting',
  offline: 'offline',
  unauthorized: 'failed',
  incompatible: 'failed',
  blocked: 'failed',
  failed: 'failed',
}

/** Trouble is shown at once, like failures. */
const isBusy = (activity: Activity): boolean => activity !== 'idle' && activity !== 'blocked'

/**
 * What the whole store is busy with, in a corner of the page: visible while a change waits, is on its
 * way or has failed, and while there is no connection. What is over within 300 ms is not shown at all;
 * failures and trouble (`status.error`) are shown at once.
 *
 * `data-state` is always the true state (`idle` when everything is synced). Screen readers are told
 * politely when the state changes, not each time a count does.
 */
export function GlobalSyncIndicator({ labels }: GlobalSyncIndicatorProps): JSX.Element {
  const status = useSyncStatus()
  const activity = activityOf(status)
  const steady = useSteady(activity, isBusy)

  const shownActivity = steady === 'settling' ? 'idle' : steady
  const shown = withFailures(shownActivity, status.failed)
  const text = indicatorText(shownActivity, status, { ...INDICATOR_LABELS, ...labels })
  const announcement = useAnnouncement(text, `${shownActivity} ${status.failed}`)

  return (
    <div className="tidemark-indicator" data-state={withFailures(activity, status.failed)}>
      {text !== '' && (
        <div className="tidemark-indicator-pill" data-shown={shown}>
          <Icon name={ICONS[shown]} />
          <span className="tidemark-indicator-text">{text}</span>
        </div>
      )}
      <VisuallyHidden role="status" aria-live="polite">
        {announcement}
      </VisuallyHidden>
    </div>
  )
}

function withFailures(activity: Activity, failed: number): GlobalSyncState {
  return failed > 0 ? 'failed' : activity
}
