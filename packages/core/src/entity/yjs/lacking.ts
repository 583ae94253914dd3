import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { gap, invalid } from '../update-errors.js'
import { canBeOrdered } from './order.js'
import { type DeletedRange, type ItemId, writeDeletions } from './update.js'

/** What of an update a document lacks. */
export interface LackingUpdate {
  /** Items beyond the document's clocks, and deletions of what it shows; nothing else. */
  readonly update: Uint8Array
  /** The client ids whose items it brings. */
  readonly clients: readonly number[]
  /** Items of the document that it deletes, is written next to, or is written into. */
  readonly touched: readonly ItemId[]
}

/**
 * Takes off an update what a document has already. Peers of the Yjs protocol send everything that they have deleted with
 * every answer, and what they got from others as well.
 *
 * @returns undefined when the document has all of it
 * @throws TidemarkError `update-gap` for an update with a hole in it, `update-invalid` for items that wait for each other; anything for bytes that are no update
 */
export function lackingIn(doc: Y.Doc, update: Uint8Array): LackingUpdate | undefined {
  const rest = Y.diffUpdate(update, Y.encodeStateVector(doc))
  const { structs, ds } = Y.decodeUpdate(rest)
  if (structs.some((struct) => struct instanceof Y.Skip)) throw gap('has a hole')
  const entries = structs.map((struct) => ({ ...struct.id, refersTo: neighboursOf(struct) }))
  if (!canBeOrdered(entries, (client) => Y.getState(doc.store, client)))
    throw invalid('items that wait for each other')
  const deletions: DeletedRange[] = []
  for (const [client, ranges] of ds.clients) {
    for (const { clock, len } of ranges) addVisible(deletions, doc, { client, clock, length: len })
  }
  if (structs.length === 0 && deletions.length === 0) return undefined
  const encoder = encoding.createEncoder()
  encoding.writeUint8Array(encoder, rest.subarray(0, rest.length - deletionsLength(ds.clients)))
  writeDeletions(encoder, deletions)
  return {
    update: encoding.toUint8Array(encoder),
    clients: [...new Set(structs.map(({ id }) => id.client))],
    touched: [...deletions, ...entries.flatMap(({ refersTo }) => refersTo)],
  }
}

/** The name of the root type that an item of the document stands in directly; undefined for any other place. */
export function rootOf(doc: Y.Doc, { client, clock }: ItemId): string | undefined {
  const structs = doc.store.clients.get(client)
  if (structs === undefined || clock >= Y.getState(doc.store, client)) return undefined
  const struct = structs[Y.findIndexSS(structs, clock)]
  if (!(struct instanceof Y.Item)) return undefined
  for (const [root, type] of doc.share) if (struct.parent === type) return root
  return undefined
}

function neighboursOf(struct: Y.Item | Y.GC | Y.Skip): ItemId[] {
  if (!(struct instanceof Y.Item)) return []
  const parent: unknown = struct.parent
  const ids = [struct.origin, struct.rightOrigin, parent instanceof Y.ID ? parent : null]
  return ids.filter((id) => id !== null)
}

/** Adds the parts of a range that the document doesn't hold as deleted. */
function addVisible(ranges: DeletedRange[], doc: Y.Doc, range: DeletedRange): void {
  const { client, clock } = range
  const end = clock + range.length
  const known = Y.getState(doc.store, client)
  const structs = doc.store.clients.get(client) ?? []
  if (clock < known) {
    for (let index = Y.findIndexSS(structs, clock); index < structs.length; index++) {
      const struct = structs[index]
      if (struct === undefined || struct.id.clock >= end) break
      if (struct.deleted) continue
      const start = Math.max(struct.id.clock, clock)
      const length = Math.min(struct.id.clock + struct.length, end) - start
      ranges.push({ client, clock: start, length })
    }
  }
  const unknown = Math.max(clock, known)
  if (end > unknown) ranges.push({ client, clock: unknown, length: end - unknown })
}

/** How many bytes Yjs writes them in, in whatever order. */
function deletionsLength(
  clients: ReadonlyMap<number, readonly { readonly clock: number; readonly len: number }[]>,
): number {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, clients.size)
  for (const [client, ranges] of clients) {
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, ranges.length)
    for (const { clock, len } of ranges) {
      encoding.writeVarUint(encoder, clock)
      encoding.writeVarUint(encoder, len)
    }
  }
  return encoding.length(encoder)
}
