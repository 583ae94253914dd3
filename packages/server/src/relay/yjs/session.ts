import { isTidemarkError } from '@tidemark/core'
import { endsOf } from '@tidemark/core/entity'
import * as Y from 'yjs'
import type { Limits } from '../limits.js'
import { STOCK_REPLICA } from '../pins.js'
import type { RelayConnection, Revocation, YjsRequest } from '../ports.js'
import { Refusal, refusalOf } from '../refusal.js'
import type { Session } from '../session.js'
import { grantStockAccess, type StockAccess } from './access.js'
import { parseYjsPath, yjsPathOf } from './address.js'
import { YJS_CLOSE_CODES } from './close-codes.js'
import { createEditQueue, type EditQueue, type EditRefusal, VerdictError } from './edit-queue.js'
import {
  decodeYjsMessage,
  encodeAwareness,
  encodeStep1,
  encodeStep2,
  type YjsMessage,
} from './messages.js'
import { createPace } from './pace.js'
import type { RefusedDocuments } from './refused-documents.js'
import type { Room, YjsContext } from './room.js'
import type { Rooms, RoomVisitor } from './rooms.js'

export interface YjsSessionContext extends YjsContext {
  readonly rooms: Rooms
  readonly refused: RefusedDocuments
}

/** Stock clients give a connection up on which they have heard nothing for 30 seconds. */
const KEEP_ALIVE_MS = 10_000
/** A whole document is encoded for each answer: so many at once, and then one a second. */
const ANSWERS = { burst: 8, intervalMs: 1_000 }
/** A client asked for what came before its edit sends it, or never will. */
const GAPS = { burst: 16, intervalMs: 1_000 }
const MAX_GAPS_IN_ROW = 32
const MAX_REMEMBERED_CLIENTS = 64

/**
 *     checking ──authenticated──► entering ──room──► open ──► closed
 *        └───────────── deadline, refusal, the other side ─────────►┘
 */
type State =
  /** What comes before the room is open waits; a few bytes only. */
  | { readonly kind: 'opening'; readonly backlog: Uint8Array[] }
  | { readonly kind: 'open'; readonly room: Room; readonly edits: EditQueue }
  | { readonly kind: 'closed' }

const CLOSED: State = { kind: 'closed' }

/** One connection of a stock Yjs client, to one entity. */
export function createYjsSession(
  context: YjsSessionContext,
  connection: RelayConnection,
  request: YjsRequest,
  connectionId: string,
  onEnd: () => void,
): Session {
  const { clock, limits, log, metrics, notices, rooms, refused } = context
  let state: State = { kind: 'opening', backlog: [] }
  let access: StockAccess | undefined
  let space: string | undefined
  /** What was taken back while nobody knew yet who this is. */
  const early: Revocation[] = []
  let paused = false
  let isSynced = false
  let isFull = false
  let sentBytes = 0
  const since = clock.now()
  let sentAt = since
  let leave = (): void => {}
  const written = new Set<number>()
  let wanted: Uint8Array | undefined
  let gapsInRow = 0
  const answers = createPace(clock, ANSWERS)
  const queries = createPace(clock, ANSWERS)
  const gaps = createPace(clock, GAPS)
  const cancelDeadline = clock.schedule(() => {
    close(YJS_CLOSE_CODES.greetingTimeout, 'The document could not be opened in time.')
  }, limits.helloDeadline)

  const visitor: RoomVisitor = {
    get user() {
      return userOf()
    },
    role: () => access?.role(),
    get isSynced() {
      return isSynced
    },
    get bufferedBytes() {
      return connection.bufferedBytes
    },
    send,
    close,
    keepAlive() {
      if (clock.now() - sentAt >= KEEP_ALIVE_MS) send(encodeAwareness([]))
    },
    entered,
  }

  function send(frame: Uint8Array): void {
    if (state.kind === 'closed' || !mayStay()) return
    sentAt = clock.now()
    guarded(() => {
      if (connection.bufferedBytes > limits.maxBufferedBytes) return cut('maxBufferedBytes')
      sentBytes += frame.length
      metrics.sent(frame.length)
      connection.send(frame)
    })
  }

  /** Timers stand still while a machine sleeps: whether the token has expired is looked at each time. */
  function mayStay(): boolean {
    return access === undefined || access.mayRead()
  }

  function end(): boolean {
    if (state.kind === 'closed') return false
    if (state.kind === 'open') state.edits.stop()
    state = CLOSED
    cancelDeadline()
    answers.stop()
    queries.stop()
    gaps.stop()
    access?.stop()
    leave()
    onEnd()
    return true
  }

  function describe(): Readonly<Record<string, unknown>> {
    return { connection: connectionId, user: userOf(), remoteAddress: connection.remoteAddress }
  }

  function cut(limit: keyof Limits): void {
    notices.limitHit(limit, describe())
    close(YJS_CLOSE_CODES.slowReader, 'Too slow; connect again to catch up.')
  }

  function close(code: number, reason: string): void {
    const who = describe()
    if (!end()) return
    notices.closed(code, { ...who, reason })
    connection.close(code, reason)
  }

  /** Whatever one message does, it concerns this connection only. */
  function guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      const { code, reason } = refusalOf(error)
      if (code === YJS_CLOSE_CODES.overloaded)
        log.error({ err: error, connection: connectionId }, 'a session failed')
      close(code, reason)
    }
  }

  async function begin(): Promise<void> {
    const address = parseYjsPath(request.path)
    if (address === undefined)
      throw new Refusal(
        YJS_CLOSE_CODES.protocolViolation,
        'The room is none: <space>/<collection>/<id>.',
      )
    connection.pause?.()
    space = address.space
    access = await grantStockAccess(context, request, space, connection.remoteAddress, {
      ended: close,
      roleChanged: checkRole,
      fails: cantTell,
    })
    if (isClosed()) return access.stop()
    for (const revocation of early) revoke(revocation)
    checkRole()
    if (isClosed()) return
    log.debug({ connection: connectionId, user: userOf(), path: yjsPathOf(address) }, 'joining')
    leave = rooms.enter(address, visitor)
    if (isClosed()) leave()
  }

  function userOf(): string {
    return access?.user ?? ''
  }

  function checkRole(): void {
    if (access?.mayRead() === false) close(YJS_CLOSE_CODES.forbidden, `You may not open ${space}.`)
  }

  function revoke(revocation: Revocation): void {
    if (access === undefined) {
      early.push(revocation)
      return
    }
    const isMeant = revocation.user === access.user && (revocation.space ?? space) === space
    if (!isMeant) return
    if (revocation.space === undefined)
      access.end(YJS_CLOSE_CODES.unauthorized, 'The token was taken back; get a new one.')
    else access.end(YJS_CLOSE_CODES.forbidden, `You may no longer open ${space}.`)
  }

  function cantTell(error: unknown): void {
    log.warn({ err: error, connection: connectionId }, "a role can't be told")
    close(YJS_CLOSE_CODES.overloaded, "Your role can't be told now; try again later.")
  }

  function isClosed(): boolean {
    return state.kind === 'closed'
  }

  function entered(room: Room): void {
    if (state.kind !== 'opening') return
    const { backlog } = state
    cancelDeadline()
    state = { kind: 'open', room, edits: queueFor(room) }
    connection.welcomed?.()
    connection.resume?.()
    for (const frame of backlog) receive(frame)
    if (access?.mayWrite() === true) send(encodeStep1(room.doc))
    send(room.awareness.frame())
  }

  function queueFor(room: Room): EditQueue {
    const entity = yjsPathOf(room.address)
    const queue = createEditQueue({
      revision: () => room.revision,
      read: room.read,
      allow({ update, clients }) {
        if (access?.mayWrite() !== true)
          throw new Refusal(YJS_CLOSE_CODES.forbidden, 'You may read this and not write it.')
        if (update.length > limits.maxOperationBytes)
          throw new Refusal(YJS_CLOSE_CODES.tooLarge, `The edit has ${update.length} bytes.`)
        if (isRefused(entity, clients)) throw refusedBefore()
        for (const client of clients) written.add(client)
        gapsInRow = 0
      },
      push: (edit, answer) => room.push(visitor, edit, answer),
      changed: () => throttle(queue),
      onGap() {
        gapsInRow += 1
        if (gapsInRow > MAX_GAPS_IN_ROW)
          throw new Refusal(YJS_CLOSE_CODES.refusedEdit, 'The edit refers to what nobody has sent.')
        gaps.pass(() => send(encodeStep1(room.doc)))
      },
      onRefused: (refusal) => refuse(room, refusal),
    })
    return queue
  }

  /** Reads no faster than the storage takes it. */
  function throttle(queue: EditQueue): void {
    const isNow = queue.bytes > limits.maxInFlightBytes || queue.length > limits.maxInFlight
    if (isNow && !isFull) connection.pause?.()
    if (isFull && !isNow) connection.resume?.()
    isFull = isNow
    if (queue.length > limits.maxUnanswered)
      close(YJS_CLOSE_CODES.overloaded, 'Too many edits are unanswered.')
  }

  function refuse(room: Room, { update, cause }: EditRefusal): void {
    const { code, reason } = closeFor(cause)
    if (code === YJS_CLOSE_CODES.refusedEdit) {
      const own = room.awareness.clientOf(visitor)
      const clients = [...written, ...(own === undefined ? [] : [own]), ...newClients(room, update)]
      const entity = yjsPathOf(room.address)
      refused.add(entity, userOf(), clients.slice(-MAX_REMEMBERED_CLIENTS), clock.now())
      log.warn({ connection: connectionId, user: userOf(), entity, reason }, 'an edit was refused')
    }
    if (code === YJS_CLOSE_CODES.overloaded)
      log.error({ err: cause, connection: connectionId }, "an edit can't be taken now")
    close(code, reason)
  }

  function isRefused(entity: string, clients: Iterable<number>): boolean {
    for (const client of clients)
      if (refused.has(entity, userOf(), client, clock.now())) return true
    return false
  }

  function handle(message: YjsMessage, { room, edits }: State & { readonly kind: 'open' }): void {
    switch (message.type) {
      case 'step1': {
        const ahead = clientsAhead(room, message.stateVector)
        if (isRefused(yjsPathOf(room.address), ahead)) throw refusedBefore()
        wanted = message.stateVector
        answers.pass(() => answer(room))
        return
      }
      case 'update':
        edits.add(message.update)
        return
      case 'awareness': {
        room.awareness.take(visitor, message.states)
        const own = room.awareness.clientOf(visitor)
        if (own !== undefined && isRefused(yjsPathOf(room.address), [own])) throw refusedBefore()
        return
      }
      case 'queryAwareness':
        queries.pass(() => send(room.awareness.frame()))
        return
      default:
        message satisfies never
    }
  }

  /** From what is committed; several questions that had to wait are answered at once. */
  function answer(room: Room): void {
    room.whenPinned(() => {
      if (wanted === undefined || isClosed()) return
      const frame = encodeStep2(room.doc, wanted)
      wanted = undefined
      isSynced = true
      send(frame)
    })
  }

  function receive(frame: Uint8Array): void {
    if (paused || state.kind === 'closed' || !mayStay()) return
    const current = state
    metrics.received(frame.length)
    guarded(() => {
      if (frame.length > limits.maxFrameBytes)
        throw new Refusal(YJS_CLOSE_CODES.tooLarge, `The frame has ${frame.length} bytes.`)
      if (current.kind === 'opening') return wait(current.backlog, frame)
      const message = decodeYjsMessage(frame)
      if (message === undefined)
        throw new Refusal(YJS_CLOSE_CODES.protocolViolation, 'The frame is malformed.')
      handle(message, current)
    })
  }

  function wait(backlog: Uint8Array[], frame: Uint8Array): void {
    const bytes = backlog.reduce((sum, { length }) => sum + length, frame.length)
    if (bytes > limits.maxHelloBytes)
      throw new Refusal(
        YJS_CLOSE_CODES.overloaded,
        'Too much was sent before the document was open.',
      )
    backlog.push(frame)
  }

  void begin().catch((error: unknown) => {
    guarded(() => {
      throw error
    })
  })

  return {
    receive,
    closed(code) {
      const who = describe()
      if (end()) notices.closed(undefined, { ...who, code })
    },
    close,
    cut,
    // Its protocol has no word for it: stock clients come back by a back-off of their own.
    goodbye: () => {},
    get sentBytes() {
      return sentBytes
    },
    get bufferedBytes() {
      return connection.bufferedBytes
    },
    get isOpen() {
      return state.kind === 'open'
    },
    pause() {
      paused = true
    },
    revoke,
    summary() {
      if (access === undefined || space === undefined || isClosed()) return undefined
      const { remoteAddress, bufferedBytes } = connection
      return {
        user: access.user,
        replica: STOCK_REPLICA,
        remoteAddress,
        since,
        spaces: [{ space, role: access.role() }],
        bufferedBytes,
        unanswered: 0,
      }
    },
  }
}

function refusedBefore(): Refusal {
  return new Refusal(
    YJS_CLOSE_CODES.refusedEdit,
    'This document holds an edit that was refused; load it anew.',
  )
}

/** Client ids of which the other side has more than is committed. @throws Refusal */
function clientsAhead({ doc }: Room, stateVector: Uint8Array): number[] {
  try {
    const clocks = Y.decodeStateVector(stateVector)
    return [...clocks]
      .filter(([client, end]) => end > Y.getState(doc.store, client))
      .map(([id]) => id)
  } catch {
    throw new Refusal(YJS_CLOSE_CODES.protocolViolation, 'The state vector is malformed.')
  }
}

/** Client ids that an update brings something new of, as far as it can be read at all. */
function newClients({ doc }: Room, update: Uint8Array): number[] {
  try {
    const clocks = [...endsOf(update)]
    return clocks.filter(([client, end]) => end > Y.getState(doc.store, client)).map(([id]) => id)
  } catch {
    return []
  }
}

function closeFor(cause: unknown): { readonly code: number; readonly reason: string } {
  if (cause instanceof VerdictError) return closeForVerdict(cause)
  if (isTidemarkError(cause) && cause.code === 'update-invalid')
    return { code: YJS_CLOSE_CODES.refusedEdit, reason: cause.message }
  if (cause instanceof Refusal) return { code: cause.code, reason: cause.message }
  // Of merging what several frames brought.
  return { code: YJS_CLOSE_CODES.refusedEdit, reason: 'The update is malformed.' }
}

function closeForVerdict({ verdict }: VerdictError): {
  readonly code: number
  readonly reason: string
} {
  const reason = verdict.message
  if (verdict.retryable) return { code: YJS_CLOSE_CODES.overloaded, reason }
  switch (verdict.code) {
    case 'forbidden':
      return { code: YJS_CLOSE_CODES.forbidden, reason }
    case 'too-large':
      return { code: YJS_CLOSE_CODES.tooLarge, reason }
    case 'gone':
    case 'generation':
      return { code: YJS_CLOSE_CODES.gone, reason }
    default:
      return { code: YJS_CLOSE_CODES.refusedEdit, reason }
  }
}
