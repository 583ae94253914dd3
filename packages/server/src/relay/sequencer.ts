import type { Clock } from '@tidemark/core'
import type { Log } from '../log.js'
import type { EntityRef, RelayStorage, RelayTransaction } from '../storage/index.js'
import { admit } from './admission.js'
import { createAwaitedCreates } from './awaited-creates.js'
import type { DecidedLater } from './decision.js'
import { createDeferrals } from './deferrals.js'
import { createEntityCounts } from './entity-counts.js'
import { createEntityHeads, type HeadBatch } from './entity-heads.js'
import type { Limits } from './limits.js'
import { NO_METRICS, type RelayMetrics } from './metrics.js'
import type { Policy } from './policy.js'
import type { Author } from './ports.js'
import { type Renewal, type RenewalDue, renewAll } from './renewals.js'
import { createStoreHealth } from './store-health.js'
import type { Submission } from './submission.js'
import { retryLater, type Verdict } from './verdict.js'

interface Push extends Submission {
  /** Called once. Accepted operations are answered in the order of their sequences, after their commit. */
  answer(verdict: Verdict): void
}

interface NumberedPush extends Push {
  readonly number: number
}

interface Read {
  /** Runs once so many pushes have been answered. */
  readonly after: number
  readonly author: Author | undefined
  readonly run: () => Promise<void>
}

/**
 * The one place that writes, and the one order that everybody sees.
 *
 *     push ──► queue ──► one transaction a batch ──► commit (fsync) ──► answers, in sequence order [L18]
 *                              while it runs, the next batch gathers
 *     read ──► turn ──► runs between two commits
 *
 * Reads and commits take turns. So what a read finds is exactly what has been answered and broadcast so far: a reader that
 * joins the broadcast at the end of its turn misses nothing and sees nothing twice, and asking for the fate of an
 * operation that still waits in the queue gets the fate that it is about to have [L10].
 */
export interface Sequencer {
  push(push: Push): void
  /**
   * `read` runs after everything that was pushed before this call was answered. What waits for a decision of the app is
   * excepted, unless it is the author's.
   */
  read(read: () => Promise<void>, author?: Author): void
  /**
   * Runs `work` as a transaction of the relay's own between two batches, once operations have had their turn. Rejects when
   * the storage fails or is failing.
   */
  maintain<T>(work: (tx: RelayTransaction, heads: HeadBatch) => Promise<T>): Promise<T>
  /** Keeps nothing in memory of a space that nobody listens to. */
  forget(space: string): void
  isFailing(): boolean
  /** Operations and reads that wait. */
  waiting(): { readonly operations: number; readonly reads: number }
  /** So much waits that nobody should be read on. `drained` is called once there is room again. */
  isFull(): boolean
  drained(callback: () => void): void
  /** Resolves when nothing waits or runs; then ends the probing of a storage that fails. */
  stop(): Promise<void>
}

export interface SequencerOptions {
  readonly storage: RelayStorage
  readonly clock: Clock
  readonly limits: Limits
  readonly log: Log
  readonly metrics?: RelayMetrics
  readonly policy?: Policy | undefined
  /** Called when commits work again after a failure: commits may have taken place that nobody was told of. */
  readonly recover: () => Promise<void>
  /** Up to 16 letters and digits that no other call gives. */
  readonly randomSuffix: () => string
  /** An operation needs entities whose bytes are damaged. */
  readonly damaged: (space: string, entities: readonly EntityRef[]) => void
  /** Called after the commit of entities that somebody has brought back. */
  readonly handedBack: (space: string, entities: readonly EntityRef[]) => void
  /** Called after the commit of a renewal, in sequence order. */
  readonly renewed: (renewal: Renewal) => void
}

/** Reads that run in one turn while operations wait, so that a thousand readers don't stop the writers. */
const READS_PER_TURN = 8

export function createSequencer(options: SequencerOptions): Sequencer {
  const { storage, clock, limits, log, policy, metrics = NO_METRICS } = options
  const counts = createEntityCounts()
  const heads = createEntityHeads()
  const awaited = createAwaitedCreates()
  const health = createStoreHealth(options)
  const pushes: NumberedPush[] = []
  const chores: (() => Promise<void>)[] = []
  const reads: Read[] = []
  const deferrals = createDeferrals<NumberedPush>({ clock, limits, wake })
  const waitingForRoom: (() => void)[] = []
  let queuedBytes = 0
  let epochStartedAt: number | undefined
  let pushed = 0
  let answered = 0
  let isRunning = false
  let running: Promise<void> = Promise.resolve()

  function wake(): void {
    if (isRunning) return
    isRunning = true
    running = run()
  }

  async function run(): Promise<void> {
    while (pushes.length > 0 || deferrals.isReady() || nextRead() >= 0 || chores.length > 0) {
      const back = deferrals.takeReady()
      pushes.unshift(...back)
      for (const push of back) queuedBytes += bytesOf(push)
      answered -= back.length
      if (pushes.length > 0) await commitBatch()
      await runReads()
      await chores.shift()?.()
      if (waitingForRoom.length > 0 && !isFull())
        for (const callback of waitingForRoom.splice(0)) callback()
    }
    isRunning = false
  }

  async function commitBatch(): Promise<void> {
    let batch: readonly NumberedPush[] | undefined
    let verdicts: readonly (Verdict | DecidedLater | undefined)[] = []
    let isCommitted = false
    let changed: HeadBatch | undefined
    let renewals: RenewalDue[] = []
    const committed = metrics.committing()
    try {
      if (!health.isFailing()) {
        epochStartedAt ??= await storage.epochStartedAt()
        verdicts = await storage.transaction(async (tx) => {
          // Taken here and not before: what arrived while the storage got ready joins the batch.
          batch ??= takeBatch()
          changed = heads.begin(tx)
          renewals = []
          const now = clock.now()
          const takesHandBacks = now - (epochStartedAt ?? 0) < limits.retention
          const context = {
            tx,
            heads: changed,
            counts,
            awaited,
            limits,
            log,
            now,
            takesHandBacks,
            renewals,
            damaged: options.damaged,
            policy,
          }
          const results: (Verdict | DecidedLater | undefined)[] = []
          const deferred = deferrals.begin()
          for (const push of batch) {
            const verdict = deferred.holds(push) ? undefined : await admit(context, push)
            if (verdict === undefined || verdict.kind === 'decidedLater') deferred.note(push)
            else note(push, verdict)
            results.push(verdict)
          }
          await changed.flush()
          return results
        })
        isCommitted = true
        if (changed !== undefined) heads.keep(changed)
        counts.keep()
        committed(verdicts.length)
      }
    } catch (error) {
      // Whether the commit is on disk is open: what is cached may be wrong either way.
      heads.clear()
      counts.clear()
      metrics.storageFailed()
      verdicts = []
      health.fail(error)
    }
    batch ??= takeBatch()
    answered += batch.length
    const unavailable = retryLater('unavailable', 'The storage fails.', health.retryAfter())
    for (const [index, push] of batch.entries()) {
      const result = verdicts[index]
      if (isCommitted && (result === undefined || result.kind === 'decidedLater')) {
        deferrals.keep(push, result)
        continue
      }
      const verdict = result === undefined || result.kind === 'decidedLater' ? unavailable : result
      note(push, verdict)
      if (push.isHandBack && verdict.kind === 'accepted')
        options.handedBack(push.space, push.operation.parts)
      answer(push, verdict)
    }
    if (renewals.length > 0 && !health.isFailing()) await renew(renewals)
  }

  /** In a transaction of its own, behind the answers: nobody waits for it. */
  async function renew(due: readonly RenewalDue[]): Promise<void> {
    try {
      const renewed = await changeHeads((tx, changed) =>
        renewAll(due, tx, changed, options.randomSuffix),
      )
      for (const renewal of renewed) options.renewed(renewal)
    } catch {
      // Its own log line is written; the next compaction finds it due again.
    }
  }

  async function changeHeads<T>(
    work: (tx: RelayTransaction, changed: HeadBatch) => Promise<T>,
  ): Promise<T> {
    let changed: HeadBatch | undefined
    try {
      const result = await storage.transaction(async (tx) => {
        changed = heads.begin(tx)
        const done = await work(tx, changed)
        await changed.flush()
        return done
      })
      if (changed !== undefined) heads.keep(changed)
      return result
    } catch (error) {
      heads.clear()
      metrics.storageFailed()
      health.fail(error)
      throw error
    }
  }

  function note(push: Push, verdict: Verdict): void {
    if (verdict.kind === 'rejected' && verdict.retryable) awaited.note(push)
    else awaited.settle(push)
  }

  /** What goes wrong for one must not keep the others from their answers. */
  function answer(push: Push, verdict: Verdict): void {
    try {
      push.answer(verdict)
    } catch (error) {
      log.error({ err: error, operation: push.operation.id }, 'an answer failed')
    }
  }

  function takeBatch(): readonly NumberedPush[] {
    let count = 0
    let bytes = 0
    for (const push of pushes) {
      bytes += bytesOf(push)
      if (count > 0 && (bytes > limits.batchBytes || count >= limits.batchOperations)) break
      count += 1
    }
    const batch = pushes.splice(0, count)
    for (const push of batch) queuedBytes -= bytesOf(push)
    return batch
  }

  function isFull(): boolean {
    return (
      pushes.length > limits.maxQueuedOperations ||
      queuedBytes > limits.maxQueuedBytes ||
      reads.length > limits.maxQueuedReads
    )
  }

  async function runReads(): Promise<void> {
    for (let ran = 0; ran < READS_PER_TURN || pushes.length === 0; ran++) {
      const place = nextRead()
      if (place < 0) return
      const [next] = reads.splice(place, 1)
      try {
        await next?.run()
      } catch (error) {
        log.error({ err: error }, 'a read failed')
      }
    }
  }

  /** The first one that can run; -1: none. */
  function nextRead(): number {
    for (const [place, { after, author }] of reads.entries()) {
      if (after > answered) return -1
      if (author === undefined || !deferrals.blocks(author, after)) return place
    }
    return -1
  }

  return {
    push(push) {
      queuedBytes += bytesOf(push)
      pushed += 1
      pushes.push({ ...push, number: pushed })
      wake()
    },
    read(read, author) {
      reads.push({ after: pushed, author, run: read })
      wake()
    },
    maintain(work) {
      return new Promise((resolve, reject) => {
        chores.push(async () => {
          try {
            if (health.isFailing()) throw new Error('The storage is failing.')
            resolve(await changeHeads(work))
          } catch (error) {
            reject(error)
          }
        })
        wake()
      })
    },
    forget: heads.forget,
    isFailing: health.isFailing,
    waiting: () => ({ operations: pushes.length, reads: reads.length }),
    isFull,
    drained: (callback) => void waitingForRoom.push(callback),
    async stop() {
      do {
        await deferrals.settled()
        while (isRunning) await running
      } while (deferrals.isWaiting())
      health.stop()
    },
  }
}

function bytesOf({ operation }: Push): number {
  return operation.parts.reduce((sum, { update }) => sum + update.length, 0)
}
