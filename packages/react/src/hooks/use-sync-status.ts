import type { StoreStatus } from '@tidemark/core'
import { useStore } from './store-context.js'
import { useSelected } from './use-readable.js'

/** On a server and while hydrating: nothing is known yet. */
const SERVER_STATUS: StoreStatus = {
  connection: 'connecting',
  pending: 0,
  syncing: 0,
  failed: 0,
  lastSyncedAt: null,
  error: null,
}

const whole = (status: StoreStatus): StoreStatus => status

/** The store's connection and how many operations wait, are on their way, or failed. */
export function useSyncStatus(): StoreStatus
/**
 * A part of the store's status; the component renders again only when that part changes:
 * `useSyncStatus(status => status.connection)`.
 */
export function useSyncStatus<Selected>(select: (status: StoreStatus) => Selected): Selected
export function useSyncStatus(select: (status: StoreStatus) => unknown = whole): unknown {
  return useSelected(useStore().status, select, SERVER_STATUS)
}
