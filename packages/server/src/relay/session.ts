import type { Clock } from '@tidemark/core'
import { SPACE_NAME, USER_ID } from '@tidemark/core/entity'
import {
  CLOSE_CODES,
  type ClientMessage,
  decodeClientMessage,
  encodeRelayMessage,
  PROTOCOL_VERSION,
  type RelayMessage,
  type Role,
  type WireOperation,
} from '@tidemark/core/protocol'
import type { Log } from '../log.js'
import type { RelayStorage } from '../storage/index.js'
import { type Access, type AccessContext, grantAccess } from './access.js'
import type { Arrivals } from './arrivals.js'
import { type Attendance, createAttendance } from './attendance.js'
import { startCatchUp } from './catch-up.js'
import { createConnectionBudget } from './connection-budget.js'
import type { DamagedEntities } from './damaged-entities.js'
import { readOperations } from './fates.js'
import { decodeHello } from './hello.js'
import type { Hub, Subscriber } from './hub.js'
import type { Limits } from './limits.js'
import type { RelayMetrics } from './metrics.js'
import { REPLICA_ID } from './names.js'
import type { Notices } from './notices.js'
import type {
  Author,
  ConnectionSummary,
  PresencePort,
  RelayConnection,
  RelaySession,
  Revocation,
} from './ports.js'
import { createReading } from './reading.js'
import { Refusal, refusalOf } from './refusal.js'
import type { Sequencer } from './sequencer.js'
import type { Reader } from './slow-readers.js'
import { createTurnstile } from './turnstile.js'
import type { UserBudgets } from './user-budgets.js'
import type { UserConnections } from './user-connections.js'
import type { Verdict } from './verdict.js'

export interface SessionContext extends AccessContext {
  readonly storage: RelayStorage
  readonly clock: Clock
  readonly limits: Limits
  readonly log: Log
  readonly sequencer: Sequencer
  readonly hub: Hub
  readonly presence: PresencePort
  readonly damaged: DamagedEntities
  readonly metrics: RelayMetrics
  readonly notices: Notices
  readonly users: UserBudgets
  readonly arrivals: Arrivals
  readonly connections: UserConnections
}

/** One connection. */
export interface Session extends RelaySession, Reader {
  readonly isOpen: boolean
  /** Tells the client within how many milliseconds to come back after the close. */
  goodbye(spread: number): void
  /** Takes no more messages; what was received is still answered. */
  pause(): void
  close(code: number, reason: string): void
  /** Ends it, if it is one of those that are meant. */
  revoke(revocation: Revocation): void
  /** Undefined before its hello was accepted, and after its end. */
  summary(): ConnectionSummary | undefined
}

interface Channel extends Subscriber {
  readonly space: string
  /** What the user may do there; undefined once it was taken back. */
  role: Role | undefined
  subscribed: boolean
}

/**
 *     waiting ──hello──► greeting ──authenticated──► open ──► closed
 *        └────────── deadline, refusal, the other side ──────────►┘
 */
type State =
  | { readonly kind: 'waiting' }
  /** Messages that come while the hello is being checked wait; a few only, nobody knows yet from whom (S9). */
  | { readonly kind: 'greeting'; readonly backlog: Uint8Array[] }
  | {
      readonly kind: 'open'
      readonly author: Author
      readonly access: Access
      readonly channels: Map<number, Channel>
    }
  | { readonly kind: 'closed' }

const WAITING: State = { kind: 'waiting' }
const CLOSED: State = { kind: 'closed' }

export function createSession(
  context: SessionContext,
  connection: RelayConnection,
  connectionId: string,
  onEnd: () => void,
): Session {
  const { storage, clock, limits, log, sequencer, hub, metrics, notices } = context
  let state: State = WAITING
  let paused = false
  /** Known before the session is open: a revocation may come in between. */
  let granted: Access | undefined
  /** How often roles were asked for: only the last answers count. */
  let rolesAsked = 0
  /** Messages that were received and not answered: what a `ping` has to wait for. */
  let unanswered = 0
  let inFlight = 0
  let inFlightBytes = 0
  let sentBytes = 0
  const reading = createReading(connection)
  const limitHit = (limit: keyof Limits): void => notices.limitHit(limit, describe())
  const budget = createConnectionBudget({ ...context, reading, limitHit })
  let attendance: Attendance | undefined
  const since = clock.now()
  const cancelDeadline = clock.schedule(() => {
    close(CLOSE_CODES.greetingTimeout, 'No valid hello came in time.')
  }, limits.helloDeadline)

  const turnstile = createTurnstile({
    handle(frame) {
      if (state.kind !== 'open') return
      const { author, access, channels } = state
      guarded(() => handle(decodeClientMessage(frame), author, access, channels))
    },
    overflow: () => close(CLOSE_CODES.overloaded, 'Too many messages are unanswered.'),
    maxFrames: limits.maxUnanswered,
    maxBytes: limits.maxInFlightBytes,
  })

  function send(frame: Uint8Array): void {
    if (state.kind === 'closed' || isOver()) return
    // Looked at before and not after: one frame may be larger than the limit, and its reader as fast as any.
    if (connection.bufferedBytes > limits.maxBufferedBytes) {
      cut('maxBufferedBytes')
      return
    }
    sentBytes += frame.length
    metrics.sent(frame.length)
    connection.send(frame)
  }

  function tell(message: RelayMessage): void {
    send(encodeRelayMessage(message))
  }

  function cut(limit: keyof Limits): void {
    limitHit(limit)
    close(CLOSE_CODES.slowReader, 'Too slow; connect again to catch up.')
  }

  function describe(): Readonly<Record<string, unknown>> {
    const { remoteAddress } = connection
    const user = state.kind === 'open' ? state.author.user : undefined
    return { connection: connectionId, user, remoteAddress }
  }

  /** The user's right to be here has ended, and with it the connection. */
  function isOver(): boolean {
    return state.kind === 'open' && state.access.isOver()
  }

  function end(): boolean {
    if (state.kind === 'closed') return false
    const { channels } = state.kind === 'open' ? state : { channels: new Map<number, Channel>() }
    if (state.kind === 'open') {
      state.access.stop()
      context.connections.remove(state.author.user)
    }
    state = CLOSED
    cancelDeadline()
    budget.end()
    for (const channel of channels.values()) hub.leave(channel.space, channel)
    attendance?.end()
    onEnd()
    return true
  }

  function close(code: number, reason: string): void {
    const who = describe()
    if (end()) {
      notices.closed(code, { ...who, reason })
      try {
        connection.close(code, reason)
      } catch (error) {
        log.error({ err: error, connection: connectionId }, 'a connection could not be closed')
      }
    }
  }

  /** Whatever one message does, it concerns this connection only. */
  function guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      const { code, reason, limit } = refusalOf(error)
      if (limit !== undefined) limitHit(limit)
      else if (code === CLOSE_CODES.overloaded)
        log.error({ err: error, connection: connectionId }, 'a session failed')
      close(code, reason)
    }
  }

  function expectAnswer(): void {
    if (unanswered >= limits.maxUnanswered) {
      throw new Refusal(
        CLOSE_CODES.overloaded,
        'Too many messages are unanswered.',
        'maxUnanswered',
      )
    }
    unanswered += 1
  }

  /** Answers in the turn of everything that was pushed before, so that answers come in the order of messages. */
  function answerInTurn(read: () => Promise<RelayMessage>): void {
    expectAnswer()
    sequencer.read(async () => {
      try {
        const message = await read()
        unanswered -= 1
        tell(message)
      } catch (error) {
        log.error({ err: error, connection: connectionId }, "a message can't be answered")
        close(CLOSE_CODES.overloaded, 'The storage fails; try again later.')
      }
    }, authorOf(state))
  }

  async function greet(frame: Uint8Array): Promise<void> {
    const hello = decodeHello(frame, limits.maxHelloBytes)
    const { user, token, replica } = hello
    if (!USER_ID.test(user))
      throw new Refusal(CLOSE_CODES.protocolViolation, 'The user id is malformed.')
    if (!REPLICA_ID.test(replica)) {
      throw new Refusal(CLOSE_CODES.protocolViolation, 'The replica id is malformed.')
    }
    const { remoteAddress } = connection
    const access = await grantAccess(
      context,
      { user, token, replica, remoteAddress },
      {
        authenticated: () => tell({ type: 'authenticated', tokenExpiresAt: expiryOf(access) }),
        rolesChanged: () => askForRoles(access),
        ended: close,
      },
    )
    granted = access
    const epoch = await storage.epoch()
    if (access.isOver()) return
    if (state.kind !== 'greeting') {
      access.stop()
      return
    }
    if (context.connections.of(user) >= limits.maxConnectionsPerUser) {
      access.stop()
      throw new Refusal(
        CLOSE_CODES.overloaded,
        'The user has too many connections.',
        'maxConnectionsPerUser',
      )
    }
    const { backlog } = state
    cancelDeadline()
    context.connections.add(user)
    connection.welcomed?.()
    state = { kind: 'open', author: { user, replica }, access, channels: new Map() }
    log.debug({ connection: connectionId, user, replica }, 'connection opened')
    const { maxFrameBytes, maxOperationBytes, maxInFlight } = limits
    tell({
      type: 'welcome',
      protocol: PROTOCOL_VERSION,
      epoch,
      serverTime: clock.now(),
      user,
      limits: { maxFrameBytes, maxOperationBytes, maxInFlight },
      tokenExpiresAt: expiryOf(access),
    })
    for (const waiting of backlog) receive(waiting)
  }

  /** Too many come at once: this one is told when to come back. */
  function sentAway(): boolean {
    const spread = context.arrivals.arrive()
    if (spread === undefined) return false
    goodbye(spread)
    throw new Refusal(
      CLOSE_CODES.overloaded,
      'Too many clients at once; come back later.',
      'hellosPerSecond',
    )
  }

  function goodbye(spread: number): void {
    tell({ type: 'goodbye', spread })
  }

  function wait(backlog: Uint8Array[], frame: Uint8Array): void {
    const bytes = backlog.reduce((sum, { length }) => sum + length, frame.length)
    if (bytes > limits.maxHelloBytes) {
      throw new Refusal(CLOSE_CODES.protocolViolation, 'Too much was sent before the welcome.')
    }
    backlog.push(frame)
  }

  function handle(
    message: ClientMessage,
    author: Author,
    access: Access,
    channels: Map<number, Channel>,
  ): void {
    switch (message.type) {
      case 'hello':
        throw new Refusal(CLOSE_CODES.protocolViolation, 'A second hello.')
      case 'open':
        open(message.channel, message.space, access, channels)
        break
      case 'fates':
        tellFates(channelOf(message.channel, channels), author, message.ids)
        break
      case 'subscribe':
        subscribe(channelOf(message.channel, channels), author.user, message)
        break
      case 'push':
        push(channelOf(message.channel, channels), author, access, message.operation, false)
        break
      case 'handBack':
        push(channelOf(message.channel, channels), author, access, message.operation, true)
        break
      case 'auth':
        access.refresh(message.token)
        break
      case 'ping': {
        const pong = (): RelayMessage => ({
          type: 'pong',
          nonce: message.nonce,
          serverTime: clock.now(),
        })
        if (unanswered === 0) tell(pong())
        else answerInTurn(async () => pong())
        break
      }
      case 'join':
      case 'leave':
      case 'presence':
        attendance ??= attend(author)
        attendance.handle(channelOf(message.channel, channels), message)
        break
      default:
        message satisfies never
    }
  }

  function attend({ user }: Author): Attendance {
    return createAttendance(context.presence, limits, {
      user,
      get bufferedBytes() {
        return connection.bufferedBytes
      },
    })
  }

  function tellFates({ channel, space }: Channel, author: Author, ids: readonly string[]): void {
    answerInTurn(async () => {
      const known = await readOperations(storage, log, space, ids)
      // Whether somebody else's operation exists is nobody's business (S30).
      const fates = known.filter((operation) => operation.user === author.user)
      return { type: 'fates', channel, fates }
    })
  }

  function open(
    number: number,
    space: string,
    access: Access,
    channels: Map<number, Channel>,
  ): void {
    if (!SPACE_NAME.test(space)) {
      throw new Refusal(CLOSE_CODES.protocolViolation, 'The name of the space is malformed.')
    }
    if (channels.size >= limits.maxChannels) {
      throw new Refusal(
        CLOSE_CODES.overloaded,
        `More than ${limits.maxChannels} spaces are open.`,
        'maxChannels',
      )
    }
    const taken = [...channels.values()].some((other) => other.space === space)
    if (taken || channels.has(number)) {
      throw new Refusal(CLOSE_CODES.protocolViolation, 'The space or the channel is open already.')
    }
    withRole(access, space, (role) => admit(number, space, role, channels))
  }

  /** At once where roles are known; what is received while one is being asked for waits. */
  function withRole(access: Access, space: string, go: (role: Role | undefined) => void): void {
    const role = access.roleIn(space)
    if (role instanceof Promise)
      turnstile.hold(role.then((told) => guarded(() => go(told)), cantTell))
    else go(role)
  }

  function admit(
    number: number,
    space: string,
    role: Role | undefined,
    channels: Map<number, Channel>,
  ): void {
    if (state.kind !== 'open') return
    if (role === undefined) throw new Refusal(CLOSE_CODES.forbidden, `You may not open ${space}.`)
    const drop = () =>
      close(CLOSE_CODES.overloaded, 'A change was missed; connect again to catch up.')
    const channel = { channel: number, space, send, drop, role, subscribed: false }
    channels.set(number, channel)
    tellOpened(channel, role)
  }

  function tellOpened({ channel, space }: Channel, role: Role): void {
    answerInTurn(async () => ({
      type: 'opened',
      channel,
      head: await storage.head(space),
      role,
    }))
  }

  /** The user may have other roles now: a space without one is closed at once, and the connection with it. */
  function askForRoles(access: Access): void {
    if (state.kind !== 'open') return
    rolesAsked += 1
    const current = rolesAsked
    const set = (channel: Channel) => (role: Role | undefined) => {
      if (current === rolesAsked) setRole(channel, role)
    }
    for (const channel of state.channels.values())
      guarded(() => withRole(access, channel.space, set(channel)))
  }

  function setRole(channel: Channel, role: Role | undefined): void {
    if (state.kind !== 'open' || channel.role === role) return
    channel.role = role
    if (role === undefined)
      throw new Refusal(CLOSE_CODES.forbidden, `You may no longer open ${channel.space}.`)
    tellOpened(channel, role)
  }

  function cantTell(error: unknown): void {
    log.warn({ err: error, connection: connectionId }, "a role can't be told")
    close(CLOSE_CODES.overloaded, "Your role can't be told now; try again later.")
  }

  function subscribe(
    channel: Channel,
    user: string,
    { since, fresh }: Pick<ClientMessage & { readonly type: 'subscribe' }, 'since' | 'fresh'>,
  ): void {
    if (channel.subscribed) {
      throw new Refusal(CLOSE_CODES.protocolViolation, 'The channel is subscribed already.')
    }
    channel.subscribed = true
    startCatchUp({
      ...context,
      space: channel.space,
      since,
      fresh,
      subscriber: channel,
      author: authorOf(state),
      bufferedBytes: () => connection.bufferedBytes,
      isOpen: () => state.kind === 'open' && !paused,
      untilPage: () => budget.untilPage(user),
      paged(entities, bytes) {
        metrics.page(entities)
        budget.page(user, entities, bytes)
      },
      fail: () => close(CLOSE_CODES.overloaded, "The space can't be read; try again later."),
    })
  }

  function push(
    channel: Channel,
    author: Author,
    access: Access,
    operation: WireOperation,
    isHandBack: boolean,
  ): void {
    const { space } = channel
    if (inFlight >= limits.maxInFlight) {
      throw new Refusal(
        CLOSE_CODES.overloaded,
        `More than ${limits.maxInFlight} operations are unanswered.`,
        'maxInFlight',
      )
    }
    expectAnswer()
    const bytes = operation.parts.reduce((sum, { update }) => sum + update.length, 0)
    count(1, bytes)
    sequencer.push({
      space,
      author,
      operation,
      refusal: budget.operation(author.user),
      worked: (stored) => budget.worked(author.user, stored),
      role: () => (access.isOver() ? undefined : channel.role),
      isHandBack,
      answer(verdict) {
        unanswered -= 1
        count(-1, -bytes)
        judged(verdict)
        tell(toMessage(channel.channel, operation.id, verdict, clock.now()))
        if (verdict.kind === 'accepted') {
          hub.broadcast(space, verdict.sequence, operation, channel)
        }
      },
    })
  }

  /** Reads no faster than the storage works, whoever it works for. */
  function holdBack(): void {
    if (!sequencer.isFull()) return
    limitHit('maxQueuedOperations')
    reading.hold('queue')
    sequencer.drained(() => reading.release('queue'))
  }

  function judged(verdict: Verdict): void {
    metrics.judged(verdict.kind === 'rejected' ? verdict.code : verdict.kind)
    if (verdict.kind === 'rejected' && verdict.limit !== undefined) limitHit(verdict.limit)
  }

  /** Keeps account of what is in flight, and reads no faster than the storage takes it. */
  function count(operations: number, bytes: number): void {
    inFlight += operations
    inFlightBytes += bytes
    if (inFlightBytes > limits.maxInFlightBytes) reading.hold('in flight')
    else reading.release('in flight')
  }

  function receive(frame: Uint8Array): void {
    if (paused || state.kind === 'closed' || isOver()) return
    const current = state
    metrics.received(frame.length)
    guarded(() => {
      budget.frame(frame.length)
      switch (current.kind) {
        case 'waiting':
          if (sentAway()) return
          state = { kind: 'greeting', backlog: [] }
          void greet(frame).catch((error: unknown) => {
            guarded(() => {
              throw error
            })
          })
          return
        case 'greeting':
          return wait(current.backlog, frame)
        case 'open':
          if (frame.length > limits.maxFrameBytes) {
            throw new Refusal(CLOSE_CODES.protocolViolation, 'The frame is too large.')
          }
          turnstile.pass(frame)
          return holdBack()
      }
    })
  }

  function summary(): ConnectionSummary | undefined {
    if (state.kind !== 'open') return undefined
    const { author, channels } = state
    const spaces = [...channels.values()].map(({ space, role }) => ({ space, role }))
    const { remoteAddress, bufferedBytes } = connection
    return { ...author, remoteAddress, since, spaces, bufferedBytes, unanswered }
  }

  return {
    receive,
    summary,
    closed(code) {
      const who = describe()
      if (end()) notices.closed(undefined, { ...who, code })
    },
    close,
    cut,
    goodbye,
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
    revoke({ user, space }) {
      if (granted?.user !== user) return
      const channels = state.kind === 'open' ? [...state.channels.values()] : []
      if (space === undefined) {
        granted.end(CLOSE_CODES.unauthorized, 'The token was taken back; get a new one.')
      } else if (channels.some((channel) => channel.space === space)) {
        granted.end(CLOSE_CODES.forbidden, `You may no longer open ${space}.`)
      }
    },
  }
}

function authorOf(state: State): Author | undefined {
  return state.kind === 'open' ? state.author : undefined
}

/** As it goes over the wire: 0 for never. */
function expiryOf({ expiresAt }: Access): number {
  return Number.isFinite(expiresAt) ? Math.floor(expiresAt) : 0
}

function channelOf(number: number, channels: ReadonlyMap<number, Channel>): Channel {
  const channel = channels.get(number)
  if (channel !== undefined) return channel
  throw new Refusal(CLOSE_CODES.protocolViolation, `Channel ${number} is not open.`)
}

function toMessage(
  channel: number,
  id: string,
  verdict: Verdict,
  serverTime: number,
): RelayMessage {
  if (verdict.kind !== 'rejected') {
    return { type: 'ack', channel, id, sequence: verdict.sequence, digest: verdict.digest }
  }
  const { code, message, retryable, retryAfter } = verdict
  return { type: 'reject', channel, id, code, message, retryable, retryAfter, serverTime }
}
