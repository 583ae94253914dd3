import * as Y from 'yjs'
import { readable } from './readable.js'
import type { ItemId } from './update.js'

type Struct = Y.Item | Y.GC | Y.Skip

/**
 * How deep types nest in an update, without a document: 0 for one without types, 1 for an XML element in a root. Yjs walks
 * types recursively to show and to delete them: some thousands of levels overflow the stack in the middle of a
 * transaction, and the document can never be loaded again (yjs-facts 5.4).
 *
 * An item stands where its parent says, else where its left neighbour stands, else its right one. What refers to
 * something that isn't in the update is taken to stand at `outside`: with the greatest depth of the document that is an upper
 * bound for both together, with 0 and a whole document it is exact.
 *
 * @throws TidemarkError `corrupt`
 */
export function nestingOf(update: Uint8Array, outside: number): number {
  return readable(() => {
    const { structs } = Y.decodeUpdate(update)
    const byClient = byClientOf(structs)
    /** By struct, the depth of the type that holds it; 0 for a root. */
    const depths = new Map<Struct, number>()
    let deepest = 0
    for (const struct of structs)
      if (isType(struct)) deepest = Math.max(deepest, 1 + depthAround(struct))
    return deepest

    /** Chains of neighbours are as long as a text: no recursion. */
    function depthAround(start: Struct): number {
      const chain: { readonly struct: Struct; readonly levels: number }[] = []
      let struct = start
      let depth = depths.get(struct)
      while (depth === undefined) {
        // References go backwards in everything that passed the validator; whatever else this is, it isn't a document.
        if (chain.length > structs.length) throw new Error('items refer to each other in a circle')
        const place = placeOf(struct)
        const next = place && find(byClient, place.id)
        chain.push({ struct, levels: next && place.isParent ? 1 : 0 })
        if (next === undefined) depth = place === undefined ? 0 : outside
        else {
          struct = next
          depth = depths.get(next)
        }
      }
      for (const passed of chain.reverse()) {
        depth += passed.levels
        depths.set(passed.struct, depth)
      }
      return depth
    }
  })
}

function isType(struct: Struct): boolean {
  return struct instanceof Y.Item && struct.content instanceof Y.ContentType
}

function byClientOf(structs: readonly Struct[]): ReadonlyMap<number, readonly Struct[]> {
  const byClient = new Map<number, Struct[]>()
  for (const struct of structs) {
    const own = byClient.get(struct.id.client)
    if (own === undefined) byClient.set(struct.id.client, [struct])
    else own.push(struct)
  }
  return byClient
}

/** What an item is placed by. Undefined for what names a root, or was collected with all that it held. */
function placeOf(struct: Struct): { readonly id: ItemId; readonly isParent: boolean } | undefined {
  if (!(struct instanceof Y.Item)) return undefined
  const parent: unknown = struct.parent
  if (parent instanceof Y.ID) return { id: parent, isParent: true }
  const neighbour = struct.origin ?? struct.rightOrigin
  return neighbour === null ? undefined : { id: neighbour, isParent: false }
}

/** Structs of a client follow each other by their clocks. */
function find(
  byClient: ReadonlyMap<number, readonly Struct[]>,
  { client, clock }: ItemId,
): Struct | undefined {
  const structs = byClient.get(client) ?? []
  let [low, high] = [0, structs.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const struct = structs[middle]
    if (struct === undefined) return undefined
    if (clock < struct.id.clock) high = middle - 1
    else if (clock >= struct.id.clock + struct.length) low = middle + 1
    else return struct
  }
  return undefined
}
