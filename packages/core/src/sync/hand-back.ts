import type { ClientMessage, EntityName, RelayLimits, RelayMessage } from '../protocol/index.js'
import type { ConfirmedEntity, EntityRef, OperationFailure, Replica } from '../replica/index.js'
import type { BackOff } from './back-off.js'
import type { Persistence } from './persistence.js'
import { failureOfSize, toHandBack } from './pushing.js'

/** Brings back what the relay has lost, or has asked for [L22]. */
export interface HandBack {
  /** How many are on their way. */
  readonly underWay: number
  /** The entity that an operation brings back; undefined when it is another kind of operation. */
  entityOf(id: string): EntityRef | undefined
  /** Sends what may go; milliseconds until something has to be tried again, or infinity. */
  send(limits: RelayLimits): number
  accepted(id: string): void
  refused(message: Extract<RelayMessage, { type: 'reject' }>): void
  /** The relay's copies are damaged. */
  asked(entities: readonly EntityName[]): Promise<void>
  /**
   * Does what follows from refusals, in the storage. True when the space has to be read anew.
   */
  settle(): Promise<boolean>
  down(): void
}

export interface HandBackHost {
  readonly channel: number
  readonly replica: Replica
  readonly persistence: Persistence
  readonly backOff: BackOff
  send(message: ClientMessage): void
  newId(): string
  /** Keeps what is shown of an entity for the person whose work it is. */
  keepCopy(entity: ConfirmedEntity, reason: OperationFailure): Promise<void>
}

export function createHandBack(host: HandBackHost): HandBack {
  const { replica, persistence, backOff, channel } = host
  const underWay = new Map<string, EntityRef>()
  /** Refused for good, with the reason. */
  const refused = new Map<string, { readonly ref: EntityRef; readonly failure: OperationFailure }>()

  function send(limits: RelayLimits): number {
    let next = Number.POSITIVE_INFINITY
    for (const row of replica.owed()) {
      const { collection, id, owed } = row
      if (owed === undefined || underWay.has(owed.id) || refused.has(owed.id)) continue
      if (underWay.size >= limits.maxInFlight) break
      const left = backOff.left(owed.id)
      next = left > 0 ? Math.min(next, left) : next
      if (left > 0) continue
      const operation = toHandBack(row, owed.id)
      const failure = failureOfSize(operation, limits)
      if (failure !== null) {
        refused.set(owed.id, { ref: { collection, id }, failure })
        next = 0
        continue
      }
      underWay.set(owed.id, { collection, id })
      host.send({ type: 'handBack', channel, operation })
    }
    return next
  }

  /** What this device has is the relay's again, or was never missing: the next reading tells. */
  async function giveUp(id: string, ref: EntityRef, failure: OperationFailure): Promise<boolean> {
    const row = replica.entity(ref)?.confirmed
    if (row?.owed?.id !== id) return false
    if (row.owed.isAsked) {
      await persistence.write({ entities: [ref] }, ({ entities: [current] }) =>
        current?.owed?.id === id ? { putEntities: [settled(current)] } : {},
      )
      return false
    }
    await host.keepCopy(row, failure)
    await persistence.write({ entities: [ref] }, ({ entities: [current] }) =>
      current?.owed?.id === id ? { removeEntities: [ref], space: { checkpoint: 0 } } : {},
    )
    return true
  }

  return {
    get underWay() {
      return underWay.size
    },
    entityOf: (id) => underWay.get(id),
    send,
    accepted(id) {
      underWay.delete(id)
      backOff.forget(id)
    },
    refused({ id, code, message, retryable, retryAfter }) {
      const ref = underWay.get(id)
      underWay.delete(id)
      if (ref === undefined) return
      // Which document the relay has is known after the next reading only.
      if (retryable && code !== 'generation') backOff.refused(id, { code, message }, retryAfter)
      else refused.set(id, { ref, failure: { code, message } })
    },
    async asked(entities) {
      await persistence.write({ entities }, ({ entities: rows }) => ({
        putEntities: rows.flatMap((row) =>
          row === undefined || row.owed !== undefined
            ? []
            : { ...row, owed: { id: host.newId(), isAsked: true } },
        ),
      }))
    },
    async settle() {
      let isToBeReadAnew = false
      for (const [id, { ref, failure }] of [...refused]) {
        if (await giveUp(id, ref, failure)) isToBeReadAnew = true
        refused.delete(id)
      }
      return isToBeReadAnew
    },
    down() {
      underWay.clear()
    },
  }
}

/** The row once the relay has all of it. */
export function settled({ owed: _, ...row }: ConfirmedEntity): ConfirmedEntity {
  return row
}
