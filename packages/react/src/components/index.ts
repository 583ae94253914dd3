/**
 * Components that show whether data is safe. Without a stylesheet they are plain text and icons;
 * `@tidemark/react/styles.css` is there to opt in. May import `hooks/`; never write to a store.
 */
export {
  GlobalSyncIndicator,
  type GlobalSyncIndicatorProps,
} from './global-sync-indicator.js'
export type { GlobalSyncIndicatorLabels, GlobalSyncState } from './indicator-state.js'
export { SyncBadge, type SyncBadgeLabels, type SyncBadgeProps } from './sync-badge.js'
