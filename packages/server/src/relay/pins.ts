import type { ClientBinding, EntityRef, RelayTransaction } from '../storage/index.js'
import type { HeadBatch } from './entity-heads.js'

/**
 * The replica that the client ids of a user's stock Yjs clients belong to [L19]. Too short for `REPLICA_ID`: no Tidemark
 * client can say that it is this one.
 */
export const STOCK_REPLICA = 'yjs'

/** Stands for a stock client that has joined and not written. Yjs draws that id once in 2^32 times. */
const MARKER_CLIENT = 0
const MARKER: ClientBinding = { user: '', replica: STOCK_REPLICA, clock: 0, tail: null }

/**
 * Whether a stock Yjs client ever joined a document: it can't say its edits again on another one, so this one is never
 * renewed [L24]. Their client ids tell, and are stored in the same commit as what they wrote.
 */
export function isPinned(clients: ReadonlyMap<number, ClientBinding>): boolean {
  for (const { replica } of clients.values()) if (replica === STOCK_REPLICA) return true
  return false
}

/** Pins an entity that is there, before a stock client gets to see any of it. */
export async function pin(
  heads: HeadBatch,
  space: string,
  ref: EntityRef,
): Promise<Awaited<ReturnType<RelayTransaction['entityHead']>>> {
  const head = await heads.get(space, ref)
  if (head === undefined || isPinned(head.clients)) return head
  const pinned = { ...head, clients: new Map(head.clients).set(MARKER_CLIENT, MARKER) }
  heads.set(space, ref, pinned)
  return pinned
}

/** A document that takes the place of a pinned one, with all of its items, is pinned as well. */
export function keepPin(
  clients: Map<number, ClientBinding>,
  former: ReadonlyMap<number, ClientBinding>,
): void {
  if (isPinned(former)) clients.set(MARKER_CLIENT, MARKER)
}
