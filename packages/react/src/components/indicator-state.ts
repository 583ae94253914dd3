import type { StoreStatus } from '@tidemark/core'
import type { ReadError } from '../hooks/index.js'

/**
 * What the store as a whole is busy with, apart from failures. `idle`: nothing waits. `blocked`: nothing
 * is saved or sent until somebody acts (`status.error`).
 */
export type Activity =
  | 'idle'
  | 'syncing'
  | 'waiting'
  | 'offline'
  | 'unauthorized'
  | 'incompatible'
  | 'blocked'

/** Failures come first: they are what waits for a person. */
export type GlobalSyncState = Activity | 'failed'

/** What the indicator says. `count`: changes that are not confirmed, sent or not; may be 0. */
export interface GlobalSyncIndicatorLabels {
  readonly syncing: (count: number) => string
  /** Connected or connecting, and nothing is on its way yet. */
  readonly waiting: (count: number) => string
  readonly offline: (count: number) => string
  /** The relay wants a new sign-in before it takes anything. */
  readonly unauthorized: (count: number) => string
  /** The relay speaks a newer or older protocol than this app. */
  readonly incompatible: (count: number) => string
  /** Nothing is saved or sent until somebody acts; `error.code` says why. */
  readonly blocked: (error: ReadError) => string
  /** `count`: changes that failed and wait for a person. */
  readonly failed: (count: number) => string
}

export const INDICATOR_LABELS: GlobalSyncIndicatorLabels = {
  syncing: (count) => `Syncing ${changes(count)}…`,
  waiting: (count) => `${changes(count)} waiting`,
  offline: (count) => waitingBecause(count, 'offline'),
  unauthorized: (count) => waitingBecause(count, 'sign in to sync'),
  incompatible: (count) => waitingBecause(count, 'update the app to sync'),
  blocked: (error) => error.message,
  failed: (count) => `${changes(count)} failed`,
}

/** The sentences are English, so their numbers are: the same on a server and in every browser. */
const NUMBERS = new Intl.NumberFormat('en')

function changes(count: number): string {
  return count === 1 ? '1 change' : `${NUMBERS.format(count)} changes`
}

function waitingBecause(count: number, reason: string): string {
  return count === 0
    ? `${reason.charAt(0).toUpperCase()}${reason.slice(1)}`
    : `${changes(count)} waiting · ${reason}`
}

/** A connection that needs somebody's attention counts although nothing may be waiting for it yet. */
export function activityOf({ connection, pending, syncing, error }: StoreStatus): Activity {
  if (error !== null) return 'blocked'
  // Without a relay there is nothing to wait for: what is written is where it belongs.
  if (connection === 'local') return 'idle'
  if (connection !== 'online' && connection !== 'connecting') return connection
  if (syncing > 0) return 'syncing'
  return pending > 0 ? 'waiting' : 'idle'
}

/** The sentence for `activity`, with the failures before it; empty when there is nothing to say. */
export function indicatorText(
  activity: Activity,
  status: StoreStatus,
  labels: GlobalSyncIndicatorLabels,
): string {
  const sentences: string[] = []
  if (status.failed > 0) sentences.push(labels.failed(status.failed))
  if (activity === 'blocked') {
    if (status.error !== null) sentences.push(labels.blocked(status.error))
  } else if (activity !== 'idle') {
    sentences.push(labels[activity](status.pending + status.syncing))
  }
  return sentences.join(' · ')
}
