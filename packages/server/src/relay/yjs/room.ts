import {
  applyUpdates,
  isDeletedDocument,
  lifeOf,
  readSharedEdit,
  type SharedEdit,
} from '@tidemark/core/entity'
import type { OperationPart, WireOperation } from '@tidemark/core/protocol'
import type * as Y from 'yjs'
import type { Subscriber } from '../hub.js'
import { pin, STOCK_REPLICA } from '../pins.js'
import type { SessionContext } from '../session.js'
import type { Verdict } from '../verdict.js'
import type { YjsAddress } from './address.js'
import { YJS_CLOSE_CODES } from './close-codes.js'
import type { RoomMember } from './member.js'
import { encodeUpdate } from './messages.js'
import { createRoomAwareness, type RoomAwareness } from './room-awareness.js'

export interface YjsContext extends SessionContext {
  /** An id that no other call gives, UUIDv7. */
  readonly operationId: () => string
}

/** An entity as it is committed, for as long as stock clients are connected to it. */
export interface Room {
  readonly address: YjsAddress
  /** Nothing but what is committed is ever in it. */
  readonly doc: Y.Doc
  /** Goes up with each commit. */
  readonly revision: number
  readonly awareness: RoomAwareness
  readonly size: number
  enter(member: RoomMember): void
  leave(member: RoomMember): void
  /** What is new in an update of a stock client. @throws TidemarkError `update-invalid`, `update-gap` */
  read(update: Uint8Array): SharedEdit | undefined
  /** Makes an operation of an edit; `answer` comes after its commit, when `doc` has it. */
  push(author: RoomMember, edit: SharedEdit, answer: (verdict: Verdict) => void): void
  /** Something was committed to the entity. `author` knows it already. */
  committed(part: OperationPart, author?: RoomMember): void
  /** Calls back as soon as nobody can be given a document any more that may be renewed [L24]. */
  whenPinned(callback: () => void): void
  /** The document isn't this entity's any more, or can't be followed: everybody has to leave. */
  end(code: number, reason: string): void
}

/** What is committed of an entity. */
export interface RoomState {
  readonly doc: Y.Doc
  /** Undefined while the entity isn't there. */
  readonly generation: string | undefined
  /** Its version [L6]. */
  readonly sequence: number
  readonly lastModified: number
  /** Whether it may still be renewed. */
  readonly isUnpinned: boolean
}

export interface RoomOptions {
  readonly context: YjsContext
  readonly address: YjsAddress
  readonly state: RoomState
  /** How the room hears of commits: not to be told of its own by the hub. */
  readonly subscriber: Subscriber
  /** Nobody is here any more. */
  readonly onEmpty: () => void
}

export function createRoom({ context, address, state, subscriber, onEmpty }: RoomOptions): Room {
  const { sequencer, hub, clock, limits, log } = context
  const { space, ref } = address
  const { doc } = state
  const members = new Set<RoomMember>()
  const awareness = createRoomAwareness({ clock, members, address, presence: context.presence })
  const held: (() => void)[] = []
  let { generation, sequence, lastModified } = state
  let isPinned = generation !== undefined && !state.isUnpinned
  let isPinning = false
  let revision = 0
  let isOver = false

  function end(code: number, reason: string): void {
    for (const member of [...members]) member.close(code, reason)
    finish()
  }

  function finish(): void {
    if (isOver) return
    isOver = true
    held.length = 0
    awareness.stop()
    doc.destroy()
    onEmpty()
  }

  /** An entity that was made by others while stock clients waited for it. */
  async function startPin(): Promise<void> {
    if (isPinning) return
    isPinning = true
    try {
      await sequencer.maintain((_tx, heads) => pin(heads, space, ref))
      settlePin()
    } catch (error) {
      log.error({ err: error, space, ...ref }, "an entity can't be pinned")
      end(YJS_CLOSE_CODES.overloaded, 'The storage fails; try again later.')
    }
  }

  function settlePin(): void {
    isPinned = true
    for (const callback of held.splice(0)) callback()
  }

  function whenPinned(callback: () => void): void {
    if (isPinned || generation === undefined) callback()
    else {
      held.push(callback)
      void startPin()
    }
  }

  function follow(part: OperationPart, author: RoomMember | undefined): void {
    const isSame = part.generation === (generation ?? part.generation)
    if (!isSame || lifeOf(part.generation) !== address.life) {
      end(YJS_CLOSE_CODES.gone, 'The entity was made anew.')
      return
    }
    applyUpdates(doc, [part.update], 0)
    if (doc.store.pendingStructs !== null || doc.store.pendingDs !== null)
      throw new Error('A commit refers to something that is not there.')
    revision += 1
    generation = part.generation
    sequence = Math.max(sequence, part.sequence)
    lastModified = Math.max(lastModified, part.lastModified)
    if (author !== undefined && !isPinned) settlePin()
    const frame = encodeUpdate(part.update)
    whenPinned(() => {
      for (const member of [...members])
        if (member !== author && member.isSynced) member.send(frame)
    })
    if (author === undefined && isDeletedDocument(doc))
      end(YJS_CLOSE_CODES.gone, 'The entity was deleted.')
  }

  function committed(part: OperationPart, author?: RoomMember): void {
    if (isOver) return
    try {
      follow(part, author)
    } catch (error) {
      log.error({ err: error, space, ...ref }, "a document can't be followed")
      end(YJS_CLOSE_CODES.overloaded, 'The document has to be read again.')
    }
  }

  return {
    address,
    doc,
    awareness,
    get revision() {
      return revision
    },
    get size() {
      return members.size
    },
    enter: (member) => void members.add(member),
    leave(member) {
      if (!members.delete(member)) return
      awareness.leave(member)
      if (members.size === 0) finish()
    },
    read: (update) =>
      readSharedEdit(doc, update, {
        maxBytes: limits.maxEntityBytes,
        maxElements: limits.maxElements,
        maxDeletions: limits.maxElements,
        maxClients: limits.maxClientsPerPinnedEntity,
      }),
    push(author, edit, answer) {
      const part: OperationPart = {
        collection: ref.collection,
        id: ref.id,
        kind: generation === undefined ? 'create' : 'update',
        generation: generation ?? String(address.life),
        sequence: sequence + 1,
        lastModified: Math.max(clock.now() * 1000, lastModified + 1),
        update: edit.update,
      }
      const operation: WireOperation = { id: context.operationId(), parts: [part] }
      sequencer.push({
        space,
        author: { user: author.user, replica: STOCK_REPLICA },
        role: author.role,
        operation,
        answer(verdict) {
          if (verdict.kind === 'accepted') {
            committed(part, author)
            hub.broadcast(space, verdict.sequence, operation, subscriber)
          }
          answer(verdict)
        },
      })
    },
    committed,
    whenPinned,
    end,
  }
}
