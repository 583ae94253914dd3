import type { EntityStatus } from '@tidemark/core'
import type { JSX } from 'react'
import { type ReadError, type SteadyStatus, useSteadyStatus } from '../hooks/index.js'
import { Icon, type IconName } from './icons.js'
import { VisuallyHidden } from './visually-hidden.js'

/** What a badge says, by status. It is both the tooltip and what a screen reader reads. */
export interface SyncBadgeLabels {
  readonly pending: string
  readonly syncing: string
  readonly synced: string
  readonly stale: string
  readonly error: (error: ReadError | undefined) => string
}

export interface SyncBadgeProps {
  /** The entity's true status, `row.$status`. `undefined` shows nothing. */
  readonly status: EntityStatus | undefined
  /** Why the status is `error`, `row.$error`; the label names it. */
  readonly error?: ReadError | undefined
  /** Replaces some or all of the English labels. */
  readonly labels?: Partial<SyncBadgeLabels> | undefined
  /** Shows the label beside the icon. By default only screen readers and the tooltip have it. */
  readonly showLabel?: boolean | undefined
  readonly className?: string | undefined
}

const LABELS: SyncBadgeLabels = {
  pending: 'Waiting to sync',
  syncing: 'Syncing',
  synced: 'Synced',
  stale: 'Out of date',
  error: (error) => (error === undefined ? 'Not synced' : `Not synced: ${error.message}`),
}

const ICONS: Readonly<Record<SteadyStatus, IconName>> = {
  settling: 'none',
  pending: 'waiting',
  syncing: 'busy',
  synced: 'done',
  stale: 'outdated',
  error: 'failed',
}

/**
 * How safe one entity is. The check mark is there only while the entity is synced; a change that is
 * confirmed quickly shows no spinner (`useSteadyStatus`).
 *
 * `data-status` is always the true status, `data-shown` what the badge looks like. It is a
 * `role="status"` that does not announce itself, because a page holds hundreds of them;
 * `GlobalSyncIndicator` is the one that speaks.
 */
export function SyncBadge(props: SyncBadgeProps): JSX.Element | null {
  const { status, error, labels, showLabel = false, className } = props
  const shown = useSteadyStatus(status)
  if (status === undefined || shown === undefined) return null

  const label = labelOf(status, error, { ...LABELS, ...labels })
  return (
    <span
      className={className === undefined ? 'tidemark-badge' : `tidemark-badge ${className}`}
      role="status"
      aria-live="off"
      title={label}
      data-status={status}
      data-shown={shown}
    >
      <Icon name={ICONS[shown]} />
      {showLabel && shown === status ? (
        <span className="tidemark-badge-label">{label}</span>
      ) : (
        <VisuallyHidden>{label}</VisuallyHidden>
      )}
    </span>
  )
}

function labelOf(
  status: EntityStatus,
  error: ReadError | undefined,
  labels: SyncBadgeLabels,
): string {
  return status === 'error' ? labels.error(error) : labels[status]
}
