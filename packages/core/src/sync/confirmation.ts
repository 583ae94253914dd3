import { isDeleted } from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import {
  type OperationPart,
  operationDigest,
  sameBytes,
  type EntityState as WireEntity,
  type WireOperation,
} from '../protocol/index.js'
import {
  type ConfirmedChange,
  type ConfirmedEntity,
  confirmChange,
  type EntityKey,
  type EntityRef,
  keyOf,
  type StoredOperation,
} from '../replica/index.js'
import type { CurrentRows, ReadSet, WritePlan } from '../storage/index.js'
import { settled } from './hand-back.js'

/** Something that the relay said and that moves the confirmed snapshot. */
export type Step =
  /** The answer to "what became of it?": accepted. Says nothing about what came before it. */
  | {
      readonly type: 'fate'
      readonly id: string
      readonly sequence: number
      readonly digest: Uint8Array
    }
  | {
      readonly type: 'ack'
      readonly id: string
      readonly sequence: number
      readonly digest: Uint8Array
    }
  | { readonly type: 'changes'; readonly sequence: number; readonly operation: WireOperation }
  | {
      readonly type: 'entities'
      readonly entities: readonly WireEntity[]
      readonly upTo: number | null
    }
  | { readonly type: 'renewed'; readonly sequence: number; readonly entity: WireEntity }
  | { readonly type: 'caughtUp'; readonly sequence: number }
  /** The relay has got back what it lacked. */
  | {
      readonly type: 'handedBack'
      readonly id: string
      readonly ref: EntityRef
      readonly sequence: number
    }
  /** Tombstones up to the horizon are gone there; `tombstones` are those that are known here. */
  | { readonly type: 'purged'; readonly horizon: number; readonly tombstones: readonly EntityRef[] }

/**
 * The pure part of following a space: which rows the steps need, and what they make of them.
 *
 * Sequences are followed without a gap [L18]; what is at or below the checkpoint has been applied before (by this
 * tab or another one) and is skipped.
 */
export function readSetOf(steps: readonly Step[], orderOf: OrderLookup): Required<ReadSet> {
  const refs = new Map<EntityKey, EntityRef>()
  const orders = new Set<number>()
  const note = (ref: EntityRef): void => {
    refs.set(keyOf(ref), { collection: ref.collection, id: ref.id })
  }
  for (const step of steps) {
    if (step.type === 'entities') step.entities.forEach(note)
    else if (step.type === 'changes') step.operation.parts.forEach(note)
    else if (step.type === 'renewed') note(step.entity)
    else if (step.type === 'handedBack') note(step.ref)
    else if (step.type === 'purged') step.tombstones.forEach(note)
    const id = idOf(step)
    if (id === undefined) continue
    const own = orderOf(id)
    if (own === undefined) continue
    orders.add(own.order)
    own.parts.forEach(note)
  }
  return { entities: [...refs.values()], operations: [...orders] }
}

export type OrderLookup = (id: string) => StoredOperation | undefined

function idOf(step: Step): string | undefined {
  switch (step.type) {
    case 'ack':
    case 'fate':
      return step.id
    case 'changes':
      return step.operation.id
    default:
      return undefined
  }
}

/**
 * When the relay accepted other bytes than this device holds, only the relay's count [L10]: the operation leaves the
 * outbox without entering the snapshot, and the checkpoint goes back to 0, so that the space is read again.
 *
 * @throws TidemarkError `protocol-violation` for a gap in the sequence.
 */
export function planSteps(
  steps: readonly Step[],
  read: Required<ReadSet>,
  current: CurrentRows,
  now: number,
): WritePlan {
  const entities = new Map<EntityKey, ConfirmedEntity | undefined>()
  for (const [index, ref] of read.entities.entries())
    entities.set(keyOf(ref), current.entities[index])
  const touched = new Set<EntityKey>()
  const outbox = new Map<string, StoredOperation>()
  for (const operation of current.operations)
    if (operation !== undefined) outbox.set(operation.id, operation)
  const confirmed: number[] = []
  let checkpoint = current.space.checkpoint
  let lastSyncedAt = current.space.lastSyncedAt
  let { horizon } = current.space
  let foreignBytes = false

  function apply(change: ConfirmedChange): void {
    const key = keyOf(change)
    entities.set(key, confirmChange(entities.get(key), change))
    touched.add(key)
  }

  function applyPart(part: OperationPart, sequence: number): void {
    apply({ ...part, confirmedSequence: sequence, isWhole: part.kind === 'create' })
  }

  function applyWhole(entity: WireEntity): void {
    apply({ ...entity, update: entity.bytes, isWhole: true })
  }

  /**
   * Takes an operation out of the outbox; undefined when it isn't there. A parked one as well: a copy of it that was late
   * on another link may be accepted after the one that was refused, and what is accepted counts.
   */
  function leave(id: string): StoredOperation | undefined {
    const operation = outbox.get(id)
    if (operation === undefined) return undefined
    outbox.delete(id)
    confirmed.push(operation.order)
    return operation
  }

  function confirmOwn(id: string, sequence: number, digest: Uint8Array): boolean {
    const operation = leave(id)
    if (operation === undefined) return false
    if (sameBytes(digest, operationDigest(operation.parts))) {
      for (const part of operation.parts) applyPart(part, sequence)
    } else {
      foreignBytes = true
    }
    return true
  }

  /** Whether a step with that sequence is the next one; false when it was applied before. */
  function advance(sequence: number): boolean {
    if (sequence <= checkpoint) return false
    if (sequence !== checkpoint + 1) {
      throw new TidemarkError(
        'protocol-violation',
        `The relay sent sequence ${sequence} after ${checkpoint}. The link is built anew.`,
      )
    }
    return true
  }

  for (const step of steps) {
    if (foreignBytes) break
    switch (step.type) {
      case 'fate':
        confirmOwn(step.id, step.sequence, step.digest)
        break
      case 'ack': {
        const known = confirmOwn(step.id, step.sequence, step.digest)
        if (!advance(step.sequence)) break
        if (!known) {
          throw new TidemarkError(
            'protocol-violation',
            `The relay acknowledged operation ${step.id}, which isn't in the outbox. The link is built anew.`,
          )
        }
        checkpoint = step.sequence
        lastSyncedAt = now
        break
      }
      case 'changes':
        if (!advance(step.sequence)) break
        for (const part of step.operation.parts) applyPart(part, step.sequence)
        // One's own operation, pushed by another tab: what counts is what the relay accepted [L10].
        leave(step.operation.id)
        checkpoint = step.sequence
        lastSyncedAt = now
        break
      case 'entities':
        for (const entity of step.entities) applyWhole(entity)
        if (step.upTo !== null) checkpoint = Math.max(checkpoint, step.upTo)
        break
      case 'handedBack': {
        const key = keyOf(step.ref)
        const row = entities.get(key)
        if (row?.owed?.id === step.id) {
          entities.set(
            key,
            settled({
              ...row,
              confirmedSequence: Math.max(row.confirmedSequence, step.sequence),
            }),
          )
          touched.add(key)
        }
        if (advance(step.sequence)) checkpoint = step.sequence
        break
      }
      case 'purged':
        horizon = Math.max(horizon, step.horizon)
        for (const ref of step.tombstones) {
          const row = entities.get(keyOf(ref))
          if (row === undefined || !isPurged(row, horizon)) continue
          entities.set(keyOf(ref), undefined)
          touched.add(keyOf(ref))
        }
        break
      case 'renewed':
        if (!advance(step.sequence)) break
        applyWhole(step.entity)
        checkpoint = step.sequence
        break
      case 'caughtUp':
        checkpoint = Math.max(checkpoint, step.sequence)
        lastSyncedAt = now
        break
    }
  }
  const putEntities: ConfirmedEntity[] = []
  for (const key of touched) {
    const entity = entities.get(key)
    if (entity !== undefined) putEntities.push(entity)
  }
  const removeEntities = read.entities.filter(
    (ref) => touched.has(keyOf(ref)) && entities.get(keyOf(ref)) === undefined,
  )
  if (foreignBytes) checkpoint = 0
  return {
    space: { checkpoint, lastSyncedAt, horizon },
    putEntities,
    removeEntities,
    deleteOperations: confirmed,
  }
}

/** Whether the relay has purged the entity: every tombstone up to the horizon is gone there [L23]. */
export function isPurged(
  { confirmedSequence, owed, view }: ConfirmedEntity,
  horizon: number,
): boolean {
  return confirmedSequence <= horizon && owed === undefined && isDeleted(view)
}
