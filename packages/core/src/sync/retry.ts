import { lifeOf } from '../entity/index.js'
import {
  currentGeneration,
  type EntityRef,
  itemTableOf,
  itemTableWithout,
  keyOf,
  type MovedText,
  movedTexts,
  type PendingOperation,
  type PendingPart,
  type Replica,
  type StoredOperation,
  sayPartAgain,
} from '../replica/index.js'
import type { Persistence } from './persistence.js'
import { type FreshClient, followInParked, rebasedMeta } from './rebasing.js'
import { savedContent } from './unsaved.js'

/**
 * Puts a parked operation back at the end of the outbox, with its original stamps [L12]. It is said again under a client
 * id that nobody has used, as after a rebase, so that writes that are being made meanwhile don't collide with it.
 */
export async function retryParked(
  persistence: Persistence,
  replica: Replica,
  id: string,
  freshClient: () => FreshClient,
): Promise<void> {
  await persistence.writeOnLatest(() => {
    const order = replica.orderOf(id)
    const parked = replica.operation(id)
    if (order === undefined || parked === undefined || parked.failure === null) return undefined
    const fresh = freshClient()
    const { client } = fresh
    const parts = parked.parts.map((part): PendingPart => {
      const known = (replica.entity(part)?.confirmed ?? replica.savedOn(part)[0]) !== undefined
      const content = savedContent(replica, part)
      const others = stillParked(replica, part, id)
      const updates = [...replica.updates(part), ...others.map(({ update }) => update)]
      const moves = persistence.meta.moves.filter(({ entity }) => entity === keyOf(part))
      const items = itemTableWithout(others, { updates, clocks: content.clocks, moves })
      const said = sayPartAgain(part, content, client, items).part
      const saved = replica.savedOn(part).flatMap((other) => other.parts.filter(isOn(part)))
      const current = currentGeneration(replica.entity(part)?.confirmed, saved)
      const isSameLife = current !== undefined && lifeOf(current) === lifeOf(part.generation)
      const generation = isSameLife ? current : part.generation
      // Without the entity that it was an edit of, it can only be a creation.
      return { ...said, generation, kind: known ? part.kind : 'create' }
    })
    const moves = movedTexts(parked.parts, parts)
    const others = followers(replica, parked, moves)
    return {
      read: { operations: [order, ...others.map((other) => other.order)] },
      decide: ({ meta, operations: [row, ...rows] }) =>
        row === undefined || row.failure === null || rows.includes(undefined)
          ? {}
          : {
              meta: rebasedMeta(meta, fresh, moves),
              deleteOperations: [order],
              addOperations: [{ id, createdAt: parked.createdAt, parts, failure: null }],
              putOperations: others,
            },
    }
  })
}

function isOn(ref: EntityRef): (part: EntityRef) => boolean {
  const key = keyOf(ref)
  return (part) => keyOf(part) === key
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
  moves: readonly MovedText[],
): StoredOperation[] {
  const changed = new Map<number, StoredOperation>()
  for (const part of parked.parts) {
    const key = keyOf(part)
    const own = moves.filter(({ entity }) => entity === key)
    if (own.length === 0) continue
    for (const { id } of replica.entity(part)?.failed ?? []) {
      const row = storedOperation(replica, id)
      if (row !== undefined && id !== parked.id && !changed.has(row.order))
        changed.set(row.order, row)
    }
    followInParked(changed, key, itemTableOf(own))
  }
  return [...changed.values()]
}

function storedOperation(replica: Replica, id: string): StoredOperation | undefined {
  const order = replica.orderOf(id)
  const operation = replica.operation(id)
  return order === undefined || operation === undefined ? undefined : { ...operation, order }
}
