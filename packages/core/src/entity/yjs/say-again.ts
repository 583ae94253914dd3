import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { openDocument } from './document.js'
import { type DeletedRange, type ItemId, writeDeletions } from './update.js'

/**
 * Where the items of operations went that left the chain or were said again [L15]. What was written beside an item that is
 * gone is said again beside the nearest one that is still there, so that what was typed around it stays where it was.
 */
export interface ItemTable {
  /** The items of an edit are gone. */
  drop(edit: Uint8Array): void
  /** Items that stood at `from` stand at `to` now. */
  move(run: ItemRun): void
  /**
   * Says an edit of text, lists or XML (an update) again, as items of `target.client` from `target.clock` on, with every
   * reference led through the table. Struct by struct: whatever an editor did keeps its meaning, without the replay knowing
   * what it was.
   */
  sayAgain(edit: Uint8Array, target: ItemId): SaidAgain
  /** The same edit, its items where they are, with every reference led through the table. */
  follow(edit: Uint8Array): Uint8Array
  /**
   * Whether an edit can't stand without what is gone: it wrote into an element that is gone, or into the middle of what
   * one gone operation had put there. What was typed before, after or across it can.
   */
  breaks(edit: Uint8Array): boolean
}

export interface SaidAgain {
  /** Null when nothing is left of the edit. */
  readonly update: Uint8Array | null
  /** How many items it wrote. */
  readonly items: number
}

/** Items in a row that were said again under other ids. */
export interface ItemRun {
  readonly from: ItemId
  readonly to: ItemId
  readonly length: number
}

/** Where the items went that `before` had written and `after` writes, which says the same; undefined for mere deletions. */
export function movedRun(before: Uint8Array, after: Uint8Array): ItemRun | undefined {
  const structs = structsOf(before)
  const [first] = structs
  const to = structsOf(after)[0]?.id
  if (first === undefined || to === undefined) return undefined
  const length = structs.reduce((sum, struct) => sum + struct.length, 0)
  return { from: idOf(first), to: { client: to.client, clock: to.clock }, length }
}

type Struct = Y.Item | Y.GC

/** A run of items, and what became of it. */
interface Place extends ItemId {
  readonly length: number
  /** Where it is now; undefined when it is gone. */
  readonly to: ItemId | undefined
  /** What it was; undefined where only its place is known. */
  readonly struct: Struct | undefined
}

interface Surroundings {
  readonly origin: ItemId | null
  readonly rightOrigin: ItemId | null
  /** A root's name or the item of an element; what counts when there is no neighbour. */
  readonly parent: string | ItemId | null
  readonly parentSub: string | null
}

/** The document that is said again. */
export interface Former {
  /** The updates that made it up, with everything that is gone since. */
  readonly updates: readonly Uint8Array[]
  /** By client id, the clock up to which it stands as it is. */
  readonly clocks: ReadonlyMap<number, number>
  /**
   * What was said again under other ids, the latest last. An item may stand under any of the ids that it ever had: a copy
   * that was sent before it was said again may be the one that was accepted.
   */
  readonly moves: readonly ItemRun[]
}

const NOTHING: Former = { updates: [], clocks: new Map(), moves: [] }

/** `former` is looked into only where something refers to what is gone. */
export function createItemTable(former: Former = NOTHING): ItemTable {
  const places = new Map<number, Place[]>()
  let document: Y.Doc | undefined

  function put(place: Place): void {
    const known = places.get(place.client)
    if (known === undefined) places.set(place.client, [place])
    else known.push(place)
  }

  function putStruct(struct: Struct, to: ItemId | undefined): void {
    put({ ...idOf(struct), length: struct.length, to, struct })
  }

  function find(id: ItemId): Place | undefined {
    return places
      .get(id.client)
      ?.find(({ clock, length }) => clock <= id.clock && id.clock < clock + length)
  }

  /** Where an id is now; undefined for what is gone. What the table doesn't know is where it was. */
  function now(id: ItemId): ItemId | undefined {
    const place = find(id)
    if (place !== undefined) return place.to && shifted(place.to, id.clock - place.clock)
    if (isThere(id)) return id
    const elsewhere = aliases(id).find(isThere)
    return elsewhere === undefined ? id : find(elsewhere) ? now(elsewhere) : elsewhere
  }

  /** The other ids that an item had before or afterwards. */
  function aliases(id: ItemId): ItemId[] {
    const known = [id]
    for (const { from, to, length } of former.moves) {
      for (const own of [...known]) {
        if (isWithin(own, from, length)) known.push(shifted(to, own.clock - from.clock))
      }
    }
    for (const { from, to, length } of [...former.moves].reverse()) {
      for (const own of [...known]) {
        if (isWithin(own, to, length)) known.push(shifted(from, own.clock - to.clock))
      }
    }
    return known.slice(1)
  }

  function isGone(id: ItemId): boolean {
    const place = find(id)
    return place !== undefined && place.to === undefined
  }

  /** Whether it can be referred to: it stands, or has been said again by now. */
  function isThere(id: ItemId): boolean {
    const place = find(id)
    if (place !== undefined) return place.to !== undefined
    return id.clock < (former.clocks.get(id.client) ?? 0)
  }

  /** The item as it stood in the former document; undefined when that had let go of it. */
  function formerItem(id: ItemId): Y.Item | undefined {
    document ??= openDocument(former.updates, 0)
    const { store } = document
    if (Y.getState(store, id.client) <= id.clock) return undefined
    const item = Y.getItem(store, Y.createID(id.client, id.clock))
    return item instanceof Y.Item ? item : undefined
  }

  /** The nearest item on one side of what is gone that is still there. */
  function beside(id: ItemId, side: 'left' | 'right'): ItemId | null {
    let item = formerItem(id)
    if (item === undefined) return writtenBeside(id, side)
    // Characters that were put in together are one item: the next candidate is its own neighbour within.
    const step = side === 'left' ? -1 : 1
    let candidate: ItemId = { client: id.client, clock: id.clock + step }
    while (item !== undefined) {
      for (; contains(item, candidate); candidate = { ...candidate, clock: candidate.clock + step })
        if (isThere(candidate)) return now(candidate) ?? null
      const next: Y.Item | null = item[side]
      if (next === null) return null
      item = next
      const { client, clock } = next.id
      candidate = { client, clock: side === 'left' ? clock + next.length - 1 : clock }
    }
    return null
  }

  /**
   * The same, told by what each item was written beside. The former document lacks items whose predecessors were accepted
   * in another copy: their clocks have a gap before them.
   */
  function writtenBeside(id: ItemId, side: 'left' | 'right'): ItemId | null {
    for (let next: ItemId | null = id; next !== null; ) {
      if (!isGone(next)) {
        const there = now(next)
        return there !== undefined && (find(next) !== undefined || isThere(there)) ? there : null
      }
      const struct: Struct | undefined = find(next)?.struct
      next = struct instanceof Y.Item ? struct[side === 'left' ? 'origin' : 'rightOrigin'] : null
    }
    return null
  }

  /** Where an item stands that has no neighbour any more: where those had stood that it was written beside. */
  function placeOf(item: Y.Item): Pick<Surroundings, 'parent' | 'parentSub'> {
    let { origin, rightOrigin, parent, parentSub } = surroundingsOf(item)
    while (parent === null) {
      const neighbour: ItemId | null = origin ?? rightOrigin
      if (neighbour === null) break
      const known = formerItem(neighbour)
      if (known !== undefined) return { parent: parentOf(known), parentSub: known.parentSub }
      const struct = find(neighbour)?.struct
      if (!(struct instanceof Y.Item)) break
      ;({ origin, rightOrigin, parent, parentSub } = surroundingsOf(struct))
    }
    return { parent, parentSub }
  }

  /** The neighbours that an item is said again between. */
  function surroundings(item: Y.Item): Surroundings {
    const { origin, rightOrigin } = item
    const left = origin !== null && isGone(origin) ? beside(origin, 'left') : origin && now(origin)
    const right =
      rightOrigin !== null && isGone(rightOrigin)
        ? beside(rightOrigin, 'right')
        : rightOrigin && now(rightOrigin)
    const neighbours = { origin: left ?? null, rightOrigin: right ?? null }
    // Beside a neighbour the wire doesn't say where that stands; without one it has to.
    if (left || right) return { ...neighbours, parent: null, parentSub: null }
    return { ...neighbours, ...placeOf(item) }
  }

  function again(struct: Struct, id: Y.ID): Struct {
    if (struct instanceof Y.GC) return new Y.GC(id, struct.length)
    const { origin, rightOrigin, parent, parentSub } = surroundings(struct)
    const element = typeof parent === 'object' && parent !== null ? now(parent) : parent
    const orphan = origin === null && rightOrigin === null && (element ?? null) === null
    // Nobody will ever see it; its clocks are needed all the same.
    if (orphan) return new Y.GC(id, struct.length)
    return new Y.Item(
      id,
      null,
      origin && Y.createID(origin.client, origin.clock),
      null,
      rightOrigin && Y.createID(rightOrigin.client, rightOrigin.clock),
      // In an item that is only written, a root stands as its name (as in lazily read ones).
      (typeof element === 'object' && element !== null
        ? Y.createID(element.client, element.clock)
        : element) as Y.ID,
      parentSub,
      struct.content,
    )
  }

  /** What an edit deletes, without what is gone anyway. */
  function deletions({ ds }: ReturnType<typeof Y.decodeUpdate>): DeletedRange[] {
    const ranges: DeletedRange[] = []
    for (const [client, deleted] of ds.clients) {
      for (const { clock, len } of deleted) {
        for (let next = clock; next < clock + len; ) {
          const place = find({ client, clock: next })
          const end = Math.min(
            clock + len,
            place === undefined ? nextPlace(client, next) : place.clock + place.length,
          )
          const to = now({ client, clock: next })
          if (to !== undefined) ranges.push({ ...to, length: end - next })
          next = end
        }
      }
    }
    return ranges
  }

  function nextPlace(client: number, after: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const { clock } of places.get(client) ?? [])
      if (clock > after && clock < next) next = clock
    return next
  }

  return {
    drop(edit) {
      for (const struct of structsOf(edit)) putStruct(struct, undefined)
    },
    move({ from, to, length }) {
      // What had moved before has moved on.
      for (const known of places.values()) {
        for (const [index, place] of known.entries()) {
          if (place.to?.client !== from.client) continue
          const offset = place.to.clock - from.clock
          if (offset < 0 || offset >= length) continue
          known[index] = { ...place, to: { client: to.client, clock: to.clock + offset } }
        }
      }
      put({ ...from, length, to, struct: undefined })
    },
    sayAgain(edit, target) {
      const structs: Struct[] = []
      let { clock } = target
      for (const struct of structsOf(edit)) {
        const id = Y.createID(target.client, clock)
        structs.push(again(struct, id))
        // Only now: what comes later in the edit isn't there yet.
        putStruct(struct, id)
        clock += struct.length
      }
      const ranges = deletions(Y.decodeUpdate(edit))
      const items = clock - target.clock
      if (items === 0 && ranges.length === 0) return { update: null, items }
      return { update: encode(structs, target, ranges), items }
    },
    follow(edit) {
      const structs = structsOf(edit)
      const [first] = structs
      const target = first?.id ?? { client: 0, clock: 0 }
      return encode(
        structs.map((struct) => again(struct, struct.id)),
        target,
        deletions(Y.decodeUpdate(edit)),
      )
    },
    breaks(edit) {
      const within = (id: ItemId | null): boolean => {
        const struct = id === null || !isGone(id) ? undefined : find(id)?.struct
        return struct instanceof Y.Item && struct.countable
      }
      return structsOf(edit).some((struct) => {
        if (!(struct instanceof Y.Item)) return false
        const { origin, rightOrigin, parent } = surroundingsOf(struct)
        if (parent !== null && typeof parent === 'object' && within(parent)) return true
        return within(origin) && within(rightOrigin)
      })
    },
  }
}

function shifted({ client, clock }: ItemId, by: number): ItemId {
  return { client, clock: clock + by }
}

function isWithin(id: ItemId, { client, clock }: ItemId, length: number): boolean {
  return id.client === client && clock <= id.clock && id.clock < clock + length
}

function contains(item: Y.Item, id: ItemId): boolean {
  return isWithin(id, item.id, item.length)
}

/** Where an item of an open document stands: a root's name, or the item of an element. */
function parentOf({ parent }: Y.Item): Surroundings['parent'] {
  if (!(parent instanceof Y.AbstractType)) return null
  return parent._item === null ? Y.findRootTypeKey(parent) : parent._item.id
}

function idOf({ id }: Struct): ItemId {
  return { client: id.client, clock: id.clock }
}

function structsOf(edit: Uint8Array): Struct[] {
  return Y.decodeUpdate(edit).structs.filter(
    (struct): struct is Struct => !(struct instanceof Y.Skip),
  )
}

function surroundingsOf({ origin, rightOrigin, parent, parentSub }: Y.Item): Surroundings {
  // In a lazily read item the parent stands as on the wire: a name, an id, or nothing beside a neighbour.
  return { origin, rightOrigin, parent: parent as unknown as Surroundings['parent'], parentSub }
}

function encode(
  structs: readonly Struct[],
  { client, clock }: ItemId,
  deletions: readonly DeletedRange[],
): Uint8Array {
  const encoder = new Y.UpdateEncoderV1()
  encoding.writeVarUint(encoder.restEncoder, structs.length === 0 ? 0 : 1)
  if (structs.length > 0) {
    encoding.writeVarUint(encoder.restEncoder, structs.length)
    encoder.writeClient(client)
    encoding.writeVarUint(encoder.restEncoder, clock)
    for (const struct of structs) struct.write(encoder, 0)
  }
  writeDeletions(encoder.restEncoder, deletions)
  return encoding.toUint8Array(encoder.restEncoder)
}
