export interface LockOptions {
  /** Call `hold` with `false` at once instead of waiting when somebody else holds the lock. */
  readonly ifAvailable?: boolean
  /** Gives up waiting. Has no effect once the lock is held. */
  readonly signal?: AbortSignal
}

/**
 * Exclusive locks among the tabs of one origin (Web Locks).
 *
 * Contract: `hold(true)` runs while the lock is held; the lock is released when its promise settles or
 * the tab dies. Waiting requests are served in the order they were made. The returned promise settles
 * with `hold`, or rejects when `signal` aborts the wait.
 */
export interface LockManager {
  request(
    name: string,
    options: LockOptions,
    hold: (granted: boolean) => Promise<void>,
  ): Promise<void>
}
