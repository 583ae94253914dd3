import type { Clock } from '@tidemark/core'
import type { Limits } from './limits.js'
import { createTokenBucket, type TokenBucket } from './token-bucket.js'

/** What one user has left, over all of their connections. */
export interface UserBudget {
  readonly operations: TokenBucket
  readonly catchUp: TokenBucket
}

export interface UserBudgets {
  of(user: string): UserBudget
}

/** Budgets that nobody has drawn on are like new ones and needn't be kept: looked for whenever there are twice as many. */
const SWEEP_ABOVE = 1_024

export function createUserBudgets(limits: Limits, clock: Clock): UserBudgets {
  const budgets = new Map<string, UserBudget>()
  let sweepAbove = SWEEP_ABOVE

  function sweep(now: number): void {
    for (const [user, { operations, catchUp }] of budgets)
      if (operations.isFull(now) && catchUp.isFull(now)) budgets.delete(user)
    sweepAbove = Math.max(SWEEP_ABOVE, 2 * budgets.size)
  }

  return {
    of(user) {
      const known = budgets.get(user)
      if (known !== undefined) return known
      const now = clock.now()
      if (budgets.size >= sweepAbove) sweep(now)
      const budget = {
        operations: createTokenBucket(
          { perSecond: limits.userOperationsPerSecond, burst: limits.userOperationsBurst },
          now,
        ),
        catchUp: createTokenBucket(
          { perSecond: limits.catchUpBytesPerSecond, burst: limits.catchUpBurst },
          now,
        ),
      }
      budgets.set(user, budget)
      return budget
    },
  }
}
