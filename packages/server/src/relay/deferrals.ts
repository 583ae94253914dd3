import type { Clock } from '@tidemark/core'
import { within } from './deadline.js'
import type { DecidedLater } from './decision.js'
import type { Limits } from './limits.js'
import type { Author } from './ports.js'
import type { Submission } from './submission.js'

/** A push with its place among all. */
export interface Numbered extends Submission {
  readonly number: number
}

/**
 * Operations about which something outside of the relay has still to decide, and those on the same entities behind them: the
 * order of an entity's operations stays [L9], everybody else's go on. A decision brings them all back into the queue.
 *
 *     judged ──► decided later ──┐ decision, or deadline
 *       ▲                        ├──► ready ──► back into the queue, in their order
 *       └── same entity: held ───┘
 */
export interface Deferrals<P extends Numbered> {
  /** What is held back while one transaction judges; nothing of it counts until `keep`. */
  begin(): { holds(push: P): boolean; note(push: P): void }
  /** The push waits: for a decision, or behind one that does. */
  keep(push: P, later: DecidedLater | undefined): void
  /** Whether anything can go back into the queue. */
  isReady(): boolean
  /** Whether anything waits. */
  isWaiting(): boolean
  /** What goes back into the queue, before everything else. */
  takeReady(): readonly P[]
  /** Whether something that the author has pushed before waits. */
  blocks(author: Author, number: number): boolean
  /** Resolves when nothing waits any more for a decision. */
  settled(): Promise<void>
}

export interface DeferralsOptions {
  readonly clock: Clock
  readonly limits: Pick<Limits, 'authorizeDeadline'>
  /** Something is ready. */
  readonly wake: () => void
}

export function createDeferrals<P extends Numbered>({
  clock,
  limits,
  wake,
}: DeferralsOptions): Deferrals<P> {
  /** Waiting for a decision, and what is awaited. */
  const open = new Map<P, Promise<void>>()
  let ready: P[] = []
  let held: P[] = []
  let keys = new Set<string>()

  function add(push: P, target: Set<string>): void {
    for (const { collection, id } of push.operation.parts)
      target.add(`${push.space}/${collection}/${id}`)
  }

  function touches(push: P, target: ReadonlySet<string>): boolean {
    return push.operation.parts.some(({ collection, id }) =>
      target.has(`${push.space}/${collection}/${id}`),
    )
  }

  function blocksAny(pushes: Iterable<P>, author: Author, number: number): boolean {
    for (const push of pushes) {
      const { user, replica } = push.author
      if (push.number <= number && user === author.user && replica === author.replica) return true
    }
    return false
  }

  return {
    begin() {
      const now = new Set(keys)
      return {
        holds: (push) => now.size > 0 && touches(push, now),
        note: (push) => add(push, now),
      }
    },
    keep(push, later) {
      add(push, keys)
      if (later === undefined) {
        held.push(push)
        return
      }
      const waiting = within(clock, limits.authorizeDeadline, later.decision)
        .catch((error: unknown) => later.late(error))
        .then((decision) => {
          open.delete(push)
          ready.push({ ...push, decision })
          wake()
        })
      open.set(push, waiting)
    },
    isReady: () => ready.length > 0,
    isWaiting: () => open.size > 0 || ready.length > 0 || held.length > 0,
    takeReady() {
      if (ready.length === 0) return ready
      const back = [...ready, ...held].sort((a, b) => a.number - b.number)
      ready = []
      held = []
      keys = new Set()
      for (const push of open.keys()) add(push, keys)
      return back
    },
    blocks: (author, number) =>
      (open.size > 0 || ready.length > 0 || held.length > 0) &&
      [open.keys(), ready, held].some((pushes) => blocksAny(pushes, author, number)),
    async settled() {
      await Promise.all(open.values())
    },
  }
}
