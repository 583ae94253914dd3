import { TidemarkError } from '../errors.js'
import type { EntityRef, Replica } from '../replica/index.js'
import { type Persistence, retryParked } from '../sync/index.js'
import type { ClientIds } from './client-ids.js'
import type { DeviceLink } from './device-link.js'
import { type Rollbacks, tooLate } from './rollbacks.js'

/** What a person decides about operations that wait or were refused. */
export interface Outbox {
  retry(id: string): Promise<void>
  discard(id: string): Promise<void>
  /** Takes an operation back that the relay doesn't have; one that is parked is dropped. */
  rollBack(id: string): Promise<void>
  rollBackAll(ref: EntityRef): Promise<void>
}

export interface OutboxHost {
  readonly replica: Replica
  readonly rollbacks: Rollbacks
  /** @throws TidemarkError `store-closed`, `store-not-ready` */
  open(): {
    readonly persistence: Persistence
    readonly clientIds: ClientIds
    readonly link: DeviceLink
    /** Makes operations of what was typed. */
    flush(): void
  }
}

export function createOutbox({ replica, rollbacks, open }: OutboxHost): Outbox {
  async function retry(id: string): Promise<void> {
    const { persistence, clientIds, link } = open()
    requireFailed(id)
    const { meta } = persistence
    await retryParked(persistence, replica, id, () => clientIds.rotate(meta.clients))
    link.kick()
  }

  async function discard(id: string): Promise<void> {
    const { persistence } = open()
    const order = requireFailed(id)
    await persistence.write({ operations: [order] }, ({ operations: [row] }) =>
      row?.failure ? { deleteOperations: [order] } : {},
    )
  }

  async function rollBack(id: string): Promise<void> {
    const { persistence, link, flush } = open()
    flush()
    const operation = replica.operation(id)
    if (operation === undefined) throw tooLate(id)
    if (operation.failure !== null) return discard(id)
    const gone = rollbacks.wait(id)
    // A row has to be there before it can be taken away.
    if (replica.orderOf(id) === undefined) await persistence.idle()
    link.rollBack(id)
    return gone
  }

  async function rollBackAll(ref: EntityRef): Promise<void> {
    open().flush()
    const { pending = [], failed = [] } = replica.entity(ref) ?? {}
    // Newest first, so that none loses what it builds on. What the relay got meanwhile stays.
    for (const { id } of [...failed, ...pending].reverse()) {
      await rollBack(id).catch((error: unknown) => {
        if (!(error instanceof TidemarkError) || error.code !== 'operation-synced') throw error
      })
    }
  }

  function requireFailed(id: string): number {
    const order = replica.orderOf(id)
    if (order === undefined || replica.operation(id)?.failure === null) {
      throw new TidemarkError(
        'operation-missing',
        `There is no failed operation ${id}. Only failed ones can be retried or discarded.`,
      )
    }
    return order
  }

  return { retry, discard, rollBack, rollBackAll }
}
