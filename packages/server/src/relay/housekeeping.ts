import { type Cancel, type Clock, isTidemarkError } from '@tidemark/core'
import { decodeContent, isDeleted, mergeUpdates, viewOf } from '@tidemark/core/entity'
import type { Log } from '../log.js'
import type {
  EntityHead,
  EntityRef,
  RelayStorage,
  RelayTransaction,
  Tombstone,
} from '../storage/index.js'
import type { HeadBatch } from './entity-heads.js'
import type { Limits } from './limits.js'
import type { Sequencer } from './sequencer.js'

/**
 * What keeps the storage proportional to live data: tombstones and ids of operations that are older than the retention
 * go. A few at a time, so that no operation waits for it.
 */
export interface Housekeeping {
  start(): void
  stop(): void
}

export interface HousekeepingOptions {
  readonly storage: RelayStorage
  readonly sequencer: Pick<Sequencer, 'maintain'>
  readonly clock: Clock
  readonly limits: Pick<Limits, 'retention' | 'housekeepingInterval'>
  readonly log: Log
  /** Called after the commit that purged everything deleted up to `horizon`, in the order of commits. */
  readonly purged: (space: string, horizon: number) => void
}

/** Tombstones that one transaction looks at: more than the parts of one operation, which share a sequence. */
const TOMBSTONES_PER_TURN = 256
const OPERATIONS_PER_TURN = 1_000

export function createHousekeeping(options: HousekeepingOptions): Housekeeping {
  const { storage, sequencer, clock, limits, log } = options
  let stopped = false
  let cancel: Cancel = () => undefined

  function schedule(): void {
    if (stopped) return
    cancel = clock.schedule(() => {
      void run().finally(schedule)
    }, limits.housekeepingInterval)
  }

  async function run(): Promise<void> {
    const before = clock.now() - limits.retention
    try {
      for (const space of await storage.spacesWithTombstones(before)) await purge(space, before)
      while (!stopped) {
        const pruned = await sequencer.maintain((tx) =>
          tx.pruneOperations(before, OPERATIONS_PER_TURN),
        )
        if (pruned < OPERATIONS_PER_TURN) break
      }
    } catch (error) {
      // The next round goes on where this one ended.
      if (!stopped) log.error({ err: error }, 'the housekeeping failed')
    }
  }

  async function purge(space: string, before: number): Promise<void> {
    while (!stopped) {
      const { horizon, purged, isAll } = await sequencer.maintain((tx, heads) =>
        purgeSome(tx, heads, space, before),
      )
      if (horizon !== undefined) {
        options.purged(space, horizon)
        log.info({ space, horizon, entities: purged }, 'tombstones were purged')
      }
      if (isAll || horizon === undefined) return
    }
  }

  return {
    start: schedule,
    stop() {
      stopped = true
      cancel()
    },
  }
}

interface Purge {
  /** No tombstone is left up to it; undefined when nothing could be done. */
  readonly horizon: number | undefined
  readonly purged: number
  /** Whether nothing that is old enough is left. */
  readonly isAll: boolean
}

/**
 * In the order of sequences and without leaving one out: a device learns the horizon alone, and drops every tombstone up
 * to it [L23].
 */
async function purgeSome(
  tx: RelayTransaction,
  heads: HeadBatch,
  space: string,
  before: number,
): Promise<Purge> {
  const found = await tx.tombstones(space, TOMBSTONES_PER_TURN)
  const { due, isAll } = dueOf(found, before)
  let horizon: number | undefined
  let purged = 0
  for (const { ref, sequence } of due) {
    const head = await readHead(tx, heads, space, ref)
    // Whether it is deleted can't be told: no horizon passes it until it is whole again.
    if (head === 'damaged') return { ...(await end()), isAll: true }
    if (head.isDeleted) {
      await heads.remove(space, ref)
      purged += 1
    } else {
      heads.set(space, ref, { ...head.head, tombstoneAt: null })
    }
    horizon = sequence
  }
  return { ...(await end()), isAll }

  async function end(): Promise<Omit<Purge, 'isAll'>> {
    if (horizon !== undefined) await tx.setHorizon(space, horizon)
    return { horizon, purged }
  }
}

async function readHead(
  tx: RelayTransaction,
  heads: HeadBatch,
  space: string,
  ref: EntityRef,
): Promise<{ readonly head: EntityHead; readonly isDeleted: boolean } | 'damaged'> {
  try {
    const head = await heads.get(space, ref)
    if (head === undefined) return 'damaged'
    const view = viewOf(decodeContent(mergeUpdates(await tx.entityLog(space, ref, head))))
    return { head, isDeleted: isDeleted(view) }
  } catch (error) {
    if (isTidemarkError(error) && error.code === 'corrupt') return 'damaged'
    throw error
  }
}

function dueOf(
  found: readonly Tombstone[],
  before: number,
): { readonly due: readonly Tombstone[]; readonly isAll: boolean } {
  const young = found.findIndex(({ at }) => at >= before)
  if (young >= 0) return { due: found.slice(0, young), isAll: true }
  if (found.length < TOMBSTONES_PER_TURN) return { due: found, isAll: true }
  // Others with the last sequence may follow: they belong together.
  const last = found.at(-1)?.sequence
  return { due: found.filter(({ sequence }) => sequence !== last), isAll: false }
}
