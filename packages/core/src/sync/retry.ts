import {
  type EntityRef,
  followItems,
  itemTableWithout,
  keyOf,
  movedItems,
  type PendingOperation,
  type PendingPart,
  type Replica,
  type StoredOperation,
  sayPartAgain,
} from '../replica/index.js'
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
      const content = savedContent(replica, part)
      const others = stillParked(replica, part, id)
      const updates = [...replica.updates(part), ...others.map(({ update }) => update)]
      const items = itemTableWithout(others, { updates, clocks: content.clocks })
      const said = sayPartAgain(part, content, client, items).part
      // Without the entity that it was an edit of, it can only be a creation.
      return { ...said, kind: known ? part.kind : 'create' }
    })
    const others = followers(replica, parked, parts)
    return {
      read: { operations: [order, ...others.map((other) => other.order)] },
      decide: ({ meta, operations: [row, ...rows] }) =>
        row === undefined || row.failure === null || rows.includes(undefined)
          ? {}
          : {
              meta: { rebases: meta.rebases + 1, clients },
              deleteOperations: [order],
              addOperations: [{ id, createdAt: parked.createdAt, parts, failure: null }],
              putOperations: others,
            },
    }
  })
}

/** What others that are parked had typed isn't there: text that was typed next to it stands where that would. */
function stillParked(replica: Replica, ref: EntityRef, id: string): PendingPart[] {
  const key = keyOf(ref)
  return (replica.entity(ref)?.failed ?? [])
    .filter((operation) => operation.id !== id)
    .flatMap(({ parts }) => parts.filter((part) => keyOf(part) === key))
}

/** Others that are parked, with their text beside that of the one that comes back. */
function followers(
  replica: Replica,
  parked: PendingOperation,
  parts: readonly PendingPart[],
): StoredOperation[] {
  const changed = new Map<string, StoredOperation>()
  for (const [place, part] of parts.entries()) {
    const before = parked.parts[place]
    if (before === undefined || before.edit === null) continue
    const moved = movedItems([before], [part])
    for (const { id } of replica.entity(part)?.failed ?? []) {
      if (id === parked.id) continue
      const operation = changed.get(id) ?? storedOperation(replica, id)
      if (operation === undefined) continue
      const own = operation.parts.map((other) =>
        keyOf(other) === keyOf(part) ? followItems(other, moved) : other,
      )
      changed.set(id, { ...operation, parts: own })
    }
  }
  return [...changed.values()]
}

function storedOperation(replica: Replica, id: string): StoredOperation | undefined {
  const order = replica.orderOf(id)
  const operation = replica.operation(id)
  return order === undefined || operation === undefined ? undefined : { ...operation, order }
}
