import type { OperationInfo } from '@tidemark/core'
import { useMemo } from 'react'
import { useStore } from './store-context.js'
import { useReadable } from './use-readable.js'

/** The outbox as a component sees it. */
export interface OperationsResult {
  /** Everything that is not confirmed yet, oldest first, with what failed and waits for a person. */
  readonly operations: readonly OperationInfo[]
  /** Sends a failed operation again. @throws TidemarkError `operation-missing` */
  readonly retry: (id: string) => Promise<void>
  /** Drops a failed operation for good. @throws TidemarkError `operation-missing` */
  readonly discard: (id: string) => Promise<void>
}

const NO_OPERATIONS: readonly OperationInfo[] = []

/** The outbox, live, with what a person can do about a failed operation. */
export function useOperations(): OperationsResult {
  const outbox = useStore().operations
  const operations = useReadable(outbox, NO_OPERATIONS)
  return useMemo(
    () => ({
      operations,
      retry: (id: string) => outbox.retry(id),
      discard: (id: string) => outbox.discard(id),
    }),
    [outbox, operations],
  )
}
