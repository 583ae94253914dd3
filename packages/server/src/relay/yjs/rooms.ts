import { isDeletedDocument, lifeOf, mergeUpdates, openDocument } from '@tidemark/core/entity'
import { decodeRelayMessage } from '@tidemark/core/protocol'
import type { EntityRef, RelayTransaction } from '../../storage/index.js'
import type { Subscriber } from '../hub.js'
import { isPinned, pin } from '../pins.js'
import { type YjsAddress, yjsPathOf } from './address.js'
import { YJS_CLOSE_CODES } from './close-codes.js'
import type { RoomMember } from './member.js'
import { createRoom, type Room, type RoomState, type YjsContext } from './room.js'

/** Somebody who wants to get into a room. */
export interface RoomVisitor extends RoomMember {
  /** It is a member from now on. */
  entered(room: Room): void
}

/** The entities that stock clients are connected to. */
export interface Rooms {
  /** Answers with `entered`, or with `close`. Returns how to leave, also while waiting. */
  enter(address: YjsAddress, visitor: RoomVisitor): () => void
}

interface Visit {
  readonly address: YjsAddress
  readonly visitor: RoomVisitor
}

type Entry =
  | { readonly kind: 'opening'; readonly visits: Set<Visit> }
  | { readonly kind: 'open'; readonly room: Room }

/** The channel number that most clients give to a space: its frames are made anyway. */
const CHANNEL = 1

/** A space that rooms are open in. */
interface Hearing {
  readonly subscriber: Subscriber
  rooms: number
}

type Found = { readonly kind: 'found'; readonly state: RoomState } | { readonly kind: 'deleted' }

/**
 * Opens, shares and closes rooms, and keeps them at what is committed. A room is read in a turn of the sequencer, and hears of
 * everything after that through the hub, as any subscriber does: it misses nothing and sees nothing twice.
 */
export function createRooms(context: YjsContext): Rooms {
  const { sequencer, storage, hub, log } = context
  const entries = new Map<string, Entry>()
  const hearings = new Map<string, Hearing>()

  function hear(space: string, frame: Uint8Array): void {
    const message = decodeRelayMessage(frame)
    if (message.type === 'changes') {
      for (const part of message.operation.parts) roomOf(space, part)?.committed(part)
    }
    if (message.type === 'renewed')
      roomOf(space, message.entity)?.end(YJS_CLOSE_CODES.gone, 'The document was replaced.')
  }

  function roomOf(space: string, ref: EntityRef): Room | undefined {
    const entry = entries.get(keyOf(space, ref))
    return entry?.kind === 'open' ? entry.room : undefined
  }

  /** A commit took place that nobody was told of. */
  function lose(space: string): void {
    hearings.delete(space)
    for (const entry of [...entries.values()]) {
      if (entry.kind === 'open' && entry.room.address.space === space)
        entry.room.end(YJS_CLOSE_CODES.overloaded, 'A change was missed; connect again.')
    }
  }

  async function open(key: string, address: YjsAddress, visits: ReadonlySet<Visit>): Promise<void> {
    const { space, ref } = address
    function fail(error: unknown): void {
      log.error({ err: error, space, ...ref }, "an entity can't be opened")
      entries.delete(key)
      turnAway(visits, YJS_CLOSE_CODES.overloaded, "The entity can't be read; try again later.")
    }
    try {
      await sequencer.maintain((_tx, heads) => pin(heads, space, ref))
    } catch (error) {
      fail(error)
      return
    }
    sequencer.read(async () => {
      try {
        const found = await storage.transaction((tx) => load(tx, space, ref))
        const head = await storage.head(space)
        entries.delete(key)
        if (found.kind === 'found') admit(key, visits, found.state, head)
        else turnAway(visits, YJS_CLOSE_CODES.gone, 'The entity was deleted.')
      } catch (error) {
        fail(error)
      }
    })
  }

  function turnAway(visits: Iterable<Visit>, code: number, reason: string): void {
    for (const { visitor } of [...visits]) visitor.close(code, reason)
  }

  function admit(key: string, visits: Iterable<Visit>, state: RoomState, head: number): void {
    const all = [...visits]
    const life = state.generation === undefined ? 0 : lifeOf(state.generation)
    const welcomed = all.filter(({ address }) => address.life === life)
    const [first] = welcomed
    if (first === undefined) state.doc.destroy()
    else {
      const { address } = first
      const subscriber = listenTo(address.space, head)
      const onEmpty = (): void => close(key, address.space)
      const room = createRoom({ context, address, state, subscriber, onEmpty })
      entries.set(key, { kind: 'open', room })
      for (const { visitor } of welcomed) welcome(room, visitor)
    }
    for (const { address, visitor } of all)
      if (address.life !== life) redirect({ ...address, life }, visitor)
  }

  function listenTo(space: string, head: number): Subscriber {
    const hearing = hearings.get(space) ?? {
      subscriber: {
        channel: CHANNEL,
        send: (frame: Uint8Array) => hear(space, frame),
        drop: () => lose(space),
      },
      rooms: 0,
    }
    hearings.set(space, hearing)
    hearing.rooms += 1
    hub.join(space, hearing.subscriber, head)
    return hearing.subscriber
  }

  function close(key: string, space: string): void {
    entries.delete(key)
    const hearing = hearings.get(space)
    if (hearing === undefined) return
    hearing.rooms -= 1
    if (hearing.rooms > 0) return
    hearings.delete(space)
    hub.leave(space, hearing.subscriber)
  }

  function welcome(room: Room, visitor: RoomVisitor): void {
    room.enter(visitor)
    visitor.entered(room)
  }

  function redirect(address: YjsAddress, visitor: RoomVisitor): void {
    visitor.close(YJS_CLOSE_CODES.gone, `The document is at ${yjsPathOf(address)}.`)
  }

  return {
    enter(address, visitor) {
      const key = keyOf(address.space, address.ref)
      const entry = entries.get(key)
      if (entry?.kind === 'open') {
        const { room } = entry
        if (room.address.life === address.life) welcome(room, visitor)
        else redirect(room.address, visitor)
        return () => room.leave(visitor)
      }
      const visit: Visit = { address, visitor }
      const visits = entry?.visits ?? new Set()
      visits.add(visit)
      if (entry === undefined) {
        entries.set(key, { kind: 'opening', visits })
        void open(key, address, visits)
      }
      return () => {
        visits.delete(visit)
        roomOf(address.space, address.ref)?.leave(visitor)
      }
    },
  }
}

/** What is committed of the entity. */
async function load(tx: RelayTransaction, space: string, ref: EntityRef): Promise<Found> {
  const head = await tx.entityHead(space, ref)
  const log = head === undefined ? [] : await tx.entityLog(space, ref, head)
  const doc = openDocument(log.length === 0 ? [] : [mergeUpdates(log)], 0)
  if (isDeletedDocument(doc)) return { kind: 'deleted' }
  const { versionSequence: sequence = 0, lastModified = 0, generation } = head ?? {}
  // Made by somebody else since it was to be pinned.
  const isUnpinned = head !== undefined && !isPinned(head.clients)
  return { kind: 'found', state: { doc, generation, sequence, lastModified, isUnpinned } }
}

/** No name holds a slash. */
function keyOf(space: string, { collection, id }: EntityRef): string {
  return `${space}/${collection}/${id}`
}
