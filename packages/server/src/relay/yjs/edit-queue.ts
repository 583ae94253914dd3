import { isTidemarkError } from '@tidemark/core'
import { mergeUpdates, type SharedEdit } from '@tidemark/core/entity'
import type { Verdict } from '../verdict.js'

/** What one stock client sends, on its way into operations: one at a time, and what comes meanwhile is the next one. */
export interface EditQueue {
  add(update: Uint8Array): void
  /** Takes no more and offers no more. */
  stop(): void
  /** Bytes and updates that wait or are being committed. */
  readonly bytes: number
  readonly length: number
}

export interface EditQueueHost {
  /** Goes up with each commit to the document. */
  revision(): number
  /** What is new in it. @throws TidemarkError `update-invalid`, `update-gap` */
  read(update: Uint8Array): SharedEdit | undefined
  /** Called before an edit is pushed; throws to refuse it. */
  allow(edit: SharedEdit): void
  push(edit: SharedEdit, answer: (verdict: Verdict) => void): void
  /** `bytes` or `length` changed. */
  changed(): void
  /** Something before it is missing: the client has to send everything that we lack. Throws to refuse it. */
  onGap(): void
  /** It can't be taken. Called at most once. */
  onRefused(refusal: EditRefusal): void
}

export interface EditRefusal {
  readonly update: Uint8Array
  readonly cause: unknown
}

/** What was refused by the relay, not by the reading. */
export class VerdictError extends Error {
  override readonly name: string = 'VerdictError'
  readonly verdict: Extract<Verdict, { readonly kind: 'rejected' }>

  constructor(verdict: Extract<Verdict, { readonly kind: 'rejected' }>) {
    super(verdict.message)
    this.verdict = verdict
  }
}

/**
 * Each turn needs that somebody else has committed the same items meanwhile: another tab of the same browser, say. So many
 * don't happen.
 */
const MAX_ATTEMPTS = 16

const NOTHING = new Uint8Array()

export function createEditQueue(host: EditQueueHost): EditQueue {
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  let offered: Uint8Array | undefined
  let stopped = false

  function add(update: Uint8Array): void {
    if (stopped) return
    waiting.push(update)
    waitingBytes += update.length
    if (offered === undefined) drain()
    host.changed()
  }

  function drain(): void {
    if (waiting.length === 0 || stopped) return
    const updates = waiting
    waiting = []
    waitingBytes = 0
    try {
      offer(mergeUpdates(updates), 1)
    } catch (cause) {
      refuse({ update: updates[0] ?? NOTHING, cause })
    }
  }

  function offer(update: Uint8Array, attempt: number): void {
    try {
      const edit = host.read(update)
      if (edit !== undefined) {
        host.allow(edit)
        const before = host.revision()
        offered = update
        host.push(edit, (verdict) => answered(update, attempt, before, verdict))
      }
    } catch (cause) {
      if (isTidemarkError(cause) && cause.code === 'update-gap') guardGap(update)
      else refuse({ update, cause })
    }
    if (offered === undefined) drain()
  }

  function guardGap(update: Uint8Array): void {
    try {
      host.onGap()
    } catch (cause) {
      refuse({ update, cause })
    }
  }

  function answered(update: Uint8Array, attempt: number, before: number, verdict: Verdict): void {
    offered = undefined
    if (stopped) return
    // What was read against a document that has moved on is read again: part of it may be known by now.
    const isStale = host.revision() !== before && attempt < MAX_ATTEMPTS
    if (verdict.kind !== 'rejected') drain()
    else if (isStale) offer(update, attempt + 1)
    else refuse({ update, cause: new VerdictError(verdict) })
    host.changed()
  }

  function refuse(refusal: EditRefusal): void {
    if (stopped) return
    stop()
    host.onRefused(refusal)
  }

  function stop(): void {
    stopped = true
    waiting = []
    waitingBytes = 0
  }

  return {
    add,
    stop,
    get bytes() {
      return waitingBytes + (offered?.length ?? 0)
    },
    get length() {
      return waiting.length + (offered === undefined ? 0 : 1)
    },
  }
}
