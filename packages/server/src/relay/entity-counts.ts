import type { RelayTransaction } from '../storage/index.js'

/** Spaces whose count is kept. */
const CAPACITY = 4_096
/** A space that seems full is counted again, as entities may have been purged; no more often than that. */
const RECOUNT_MS = 1_000

interface Count {
  entities: number
  countedAt: number
}

/** How many entities spaces have: counted once and kept up to date by whoever adds some. */
export interface EntityCounts {
  /** Whether `added` more fit under `limit`. */
  fits(
    tx: RelayTransaction,
    space: string,
    added: number,
    limit: number,
    now: number,
  ): Promise<boolean>
  add(space: string, added: number): void
  /** The transaction is committed. */
  keep(): void
  /** A transaction failed: what is on disk must be counted again. */
  clear(): void
}

export function createEntityCounts(capacity: number = CAPACITY): EntityCounts {
  const counts = new Map<string, Count>()
  /** What the transaction has added, and has not written yet. */
  const pending = new Map<string, number>()

  async function count(tx: RelayTransaction, space: string, now: number): Promise<Count> {
    const entities = (await tx.entityCount(space)) + (pending.get(space) ?? 0)
    const counted = { entities, countedAt: now }
    if (counts.size >= capacity) counts.clear()
    counts.set(space, counted)
    return counted
  }

  return {
    async fits(tx, space, added, limit, now) {
      let known = counts.get(space) ?? (await count(tx, space, now))
      if (known.entities + added > limit && Math.abs(now - known.countedAt) >= RECOUNT_MS)
        known = await count(tx, space, now)
      return known.entities + added <= limit
    },
    add(space, added) {
      const known = counts.get(space)
      if (known !== undefined) known.entities += added
      pending.set(space, (pending.get(space) ?? 0) + added)
    },
    keep: () => pending.clear(),
    clear() {
      pending.clear()
      counts.clear()
    },
  }
}
