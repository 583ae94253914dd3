import { writeRegisters } from '../entity/index.js'
import type { PendingPart, Replica } from '../replica/index.js'
import type { Persistence } from './persistence.js'
import { savedContent } from './unsaved.js'

/**
 * Puts a parked operation back at the end of the outbox, with its original stamps [L12]. It is said again under a client
 * id that nobody has used, as after a rebase, so that writes that are being made meanwhile don't collide with it.
 */
export async function retryParked(
  persistence: Persistence,
  replica: Replica,
  id: string,
  freshClient: () => { readonly client: number; readonly clients: readonly number[] },
): Promise<void> {
  await persistence.writeOnLatest(() => {
    const order = replica.orderOf(id)
    const parked = replica.operation(id)
    if (order === undefined || parked === undefined || parked.failure === null) return undefined
    const { client, clients } = freshClient()
    const parts = parked.parts.map((part): PendingPart => {
      const known = (replica.entity(part)?.confirmed ?? replica.savedOn(part)[0]) !== undefined
      const { update } = writeRegisters(savedContent(replica, part), client, part.writes)
      // Without the entity that it was an edit of, it can only be a creation.
      return { ...part, kind: known ? part.kind : 'create', client, update }
    })
    return {
      read: { operations: [order] },
      decide: ({ meta, operations: [row] }) =>
        row === undefined || row.failure === null
          ? {}
          : {
              meta: { rebases: meta.rebases + 1, clients },
              deleteOperations: [order],
              addOperations: [{ id, createdAt: parked.createdAt, parts, failure: null }],
            },
    }
  })
}
