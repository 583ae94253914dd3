import { lifeOf } from '../entity/index.js'
import type { Cancel, Clock } from '../platform/index.js'
import type {
  ClientMessage,
  RelayLimits,
  RelayMessage,
  EntityState as WireEntity,
} from '../protocol/index.js'
import {
  type ConfirmedEntity,
  type EntityKey,
  type EntityRef,
  keyOf,
  type OperationFailure,
  type Replica,
  type Restamping,
  ROLLED_BACK,
  type StoredOperation,
} from '../replica/index.js'
import { createBackOff, type Retry } from './back-off.js'
import { isPurged, planSteps, readSetOf, type Step } from './confirmation.js'
import { createDriftCorrection } from './drift.js'
import { createHandBack } from './hand-back.js'
import type { Persistence } from './persistence.js'
import { failureOfSize, toWire } from './pushing.js'
import {
  type FreshClient,
  planRebase,
  type Rebase,
  rebaseAround,
  rebaseReadSet,
  rebaseWithout,
} from './rebasing.js'
import { planWhole, wholeReadSet } from './whole-space.js'

/** Follows one space over a link: fates, catching up, sending the outbox, taking answers over. */
export interface SpaceSync {
  /** Everything that the relay had has arrived on this link. */
  readonly caughtUp: boolean
  readonly inFlight: ReadonlySet<string>
  /** How often an operation was refused for now, and when it goes out again (milliseconds since the epoch). */
  retryOf(id: string): Retry | undefined
  /** The link is up. */
  up(epoch: string, limits: RelayLimits): void
  receive(message: RelayMessage): void
  /** The link is gone. */
  down(): void
  /** The outbox may have something to send. */
  kick(): void
  /** This tab sends for the device from now on. What others may have sent before it has an unknown fate. */
  lead(): void
  /** Takes a pending operation back as soon as its fate is known not to be with the relay [L10]. */
  rollBack(id: string): void
}

export interface SpaceSyncHost {
  readonly space: string
  readonly channel: number
  readonly replica: Replica
  readonly persistence: Persistence
  readonly clock: Clock
  send(message: ClientMessage): void
  /** What came over the link can't be right, or can't be stored: build it anew. */
  fail(): void
  observe(lastModified: number): void
  /** `caughtUp`, `inFlight` or retries changed. */
  changed(): void
  /** A client id that nobody has used, for a rebase, and the list of ids that can be leased with it. */
  freshClient(): FreshClient
  /** What new stamps are made of, for writing under that client id. */
  restamping(client: number): Restamping
  /** The id of an operation that nobody has used. */
  newId(): string
  /** Keeps what is shown of an entity for the person whose work it is. */
  keepCopy(entity: ConfirmedEntity, reason: OperationFailure): Promise<void>
}

/** Ids in one `fates` frame. */
const FATES_PER_FRAME = 1000
/** Another tab wrote in between: so long until it is tried again with its rows. */
const AGAIN_MS = 200
/**
 * A link on which nothing that was sent is answered for so long carries one way only, however alive the other way is
 * (reliability NET-5). Well above the slowest commit that a relay survives.
 */
const ANSWER_TIMEOUT_MS = 30_000

export function createSpaceSync(host: SpaceSyncHost): SpaceSync {
  const { replica, persistence, clock, channel } = host
  const inFlight = new Set<string>()
  /**
   * Operations around which the outbox has to be said again, without them when they were refused for good (then with
   * the reason), once everything sent on the same entities has been answered [L10].
   */
  const unsettled = new Map<string, OperationFailure | null>()
  /** Operations that may have been sent, and whose fate the relay hasn't told yet [L10]. */
  const unknown = new Set<string>()
  const backOff = createBackOff(clock)
  const handBack = createHandBack({ ...host, backOff })
  const drift = createDriftCorrection(host)
  let inbox: RelayMessage[] = []
  let working = false
  let link = 0
  let epoch = ''
  let limits: RelayLimits | undefined
  let caughtUp = false
  /**
   * Pages that are held back until the head is reached, so that half an operation never shows [L21]. They outlive the link:
   * the next one goes on behind them (reliability SLOW-4).
   */
  let staged: WireEntity[] = []
  /** What they were read for. */
  let stagedFor = ''
  /** This device has been away for longer than tombstones are kept: everything is read anew [L23]. */
  let isReset = false
  /** A replica that has nothing shows pages as they come. */
  let progressive = false
  /** Something that was refused can perhaps be parked now. */
  let lookAgain = false
  let cancelTimer: Cancel = () => undefined
  let cancelDeadline: Cancel = () => undefined

  function storedOperation(id: string): StoredOperation | undefined {
    return replica.orderOf(id) === undefined
      ? undefined
      : (replica.operation(id) as StoredOperation)
  }

  async function work(): Promise<void> {
    if (working) return
    working = true
    const current = link
    try {
      while ((inbox.length > 0 || lookAgain) && current === link) {
        const messages = inbox
        inbox = []
        lookAgain = false
        await process(messages, current)
        if (current === link) await settle(current)
        if (current === link) pump()
      }
    } catch {
      // A gap in the sequence, or a storage that failed: the checkpoint stands where it stood.
      if (current === link) host.fail()
      if (unsettled.size > 0) again()
    } finally {
      working = false
      if ((inbox.length > 0 || lookAgain) && current !== link) void work()
    }
  }

  async function process(messages: readonly RelayMessage[], current: number): Promise<void> {
    const steps: Step[] = []
    let reachedHead = false
    for (const message of messages) {
      if (message.type === 'reject') refuse(message)
      else if (message.type === 'wanted') await handBack.asked(message.entities)
      else if (message.type === 'reset') {
        isReset = true
        staged = []
        progressive = false
      } else if (message.type === 'caughtUp' && isReadWhole()) {
        await takeWhole(message)
        if (current !== link) return
        reachedHead = true
      } else {
        steps.push(...stepsOf(message))
        if (message.type === 'caughtUp') reachedHead = true
      }
    }
    if (steps.length > 0) {
      const before = persistence.space.checkpoint
      const read = readSetOf(steps, storedOperation)
      await persistence.write(read, (rows) => planSteps(steps, read, rows, clock.now()))
      if (current === link && persistence.space.checkpoint < before) host.fail()
    }
    if (current !== link) return
    for (const step of steps) {
      if (step.type === 'ack' || step.type === 'fate') answered(step.id)
      else if (step.type === 'handedBack') {
        handBack.accepted(step.id)
        expectAnswer()
      } else if (step.type === 'changes')
        for (const part of step.operation.parts) host.observe(part.lastModified)
      else if (step.type === 'entities')
        for (const entity of step.entities) host.observe(entity.lastModified)
    }
    if (reachedHead) {
      caughtUp = true
      // Fates are told before anything else.
      unknown.clear()
    }
    host.changed()
  }

  /** Whether what is read takes the place of everything that is known, instead of adding to it. */
  function isReadWhole(): boolean {
    const { epoch: followed } = persistence.space
    return isReset || (followed !== null && followed !== epoch)
  }

  async function takeWhole({
    sequence,
    horizon,
  }: Extract<RelayMessage, { type: 'caughtUp' }>): Promise<void> {
    const whole = { epoch, entities: staged, sequence, horizon }
    const written = await persistence.writeOnLatest(() => {
      const read = wholeReadSet(replica, whole)
      let lastOrder = 0
      for (const { order } of replica.saved()) lastOrder = Math.max(lastOrder, order)
      const fresh = host.freshClient()
      const context = { fresh, lastOrder, now: clock.now(), newId: host.newId }
      return { read, decide: (rows) => planWhole(whole, read, rows, context) }
    })
    if (!written?.committed) throw new Error('another tab wrote in between')
    for (const { lastModified } of staged) host.observe(lastModified)
    staged = []
    isReset = false
  }

  function answered(id: string): void {
    inFlight.delete(id)
    backOff.forget(id)
    drift.accepted(id)
    expectAnswer()
  }

  /** Every answer, and the first thing sent, start the wait for the next answer anew. */
  function expectAnswer(): void {
    cancelDeadline()
    if (inFlight.size + handBack.underWay > 0)
      cancelDeadline = clock.schedule(() => host.fail(), ANSWER_TIMEOUT_MS)
  }

  function stepsOf(message: RelayMessage): Step[] {
    switch (message.type) {
      case 'fates':
        return message.fates.map((fate) => ({ type: 'fate', ...fate }))
      case 'page': {
        if (!progressive) {
          staged.push(...message.entities)
          return []
        }
        const last = message.entities.at(-1)
        return [
          { type: 'entities', entities: message.entities, upTo: last?.confirmedSequence ?? null },
        ]
      }
      case 'caughtUp': {
        const entities = staged
        staged = []
        return [
          { type: 'entities', entities, upTo: null },
          message,
          ...purgeUpTo(message.horizon, entities),
        ]
      }
      case 'purged':
        return purgeUpTo(message.horizon)
      case 'ack': {
        const ref = handBack.entityOf(message.id)
        return [ref === undefined ? message : { ...message, type: 'handedBack', ref }]
      }
      case 'renewed':
      case 'changes':
        return [message]
      default:
        return []
    }
  }

  /** `arriving` are in the same batch, and may be tombstones that were purged right after. */
  function purgeUpTo(horizon: number, arriving: readonly WireEntity[] = []): Step[] {
    if (horizon <= persistence.space.horizon) return []
    const tombstones: EntityRef[] = arriving.filter((entity) => entity.confirmedSequence <= horizon)
    for (const row of replica.confirmed()) if (isPurged(row, horizon)) tombstones.push(row)
    return [{ type: 'purged', horizon, tombstones }]
  }

  function refuse(message: Extract<RelayMessage, { type: 'reject' }>): void {
    if (handBack.entityOf(message.id) !== undefined) {
      handBack.refused(message)
      expectAnswer()
      return
    }
    inFlight.delete(message.id)
    expectAnswer()
    const error = { code: message.code, message: message.message }
    if (message.code === 'drift' && drift.refused(message.id)) return
    // It came right behind something that was refused for its times, and will again: nothing that the app need see.
    if (message.code === 'gap' && drift.isDue) return
    // Its document was renewed meanwhile: `pump` finds it and has it said again.
    if (message.code === 'generation' && message.retryable) return
    if (!message.retryable) {
      backOff.forget(message.id)
      // What is to be rolled back anyway needs no person to look at it.
      if (unsettled.get(message.id) !== ROLLED_BACK) unsettled.set(message.id, error)
      return
    }
    const { attempts } = backOff.refused(message.id, error, message.retryAfter)
    // Nothing of ours comes before it, and still something is missing: it was said on top of what the relay won't get.
    if (message.code === 'gap' && attempts > 1 && isFirst(message.id))
      unsettled.set(message.id, null)
  }

  function isFirst(id: string): boolean {
    const parts = storedOperation(id)?.parts ?? []
    return parts.every((part) => replica.savedOn(part)[0]?.id === id)
  }

  async function settle(current: number): Promise<void> {
    if (await handBack.settle()) {
      if (current === link) host.fail()
      return
    }
    for (const [id, failure] of [...unsettled]) {
      const operation = storedOperation(id)
      if (operation === undefined || operation.failure !== null) {
        unsettled.delete(id)
        continue
      }
      if (isUnderWay(rebaseOf(operation, failure))) continue
      const written = await persistence.writeOnLatest(() => {
        const latest = storedOperation(id)
        if (latest === undefined || latest.failure !== null) return undefined
        const rebase = rebaseOf(latest, failure)
        if (isUnderWay(rebase)) return undefined
        const read = rebaseReadSet(replica, rebase)
        const fresh = host.freshClient()
        return {
          read,
          decide: (rows) => planRebase(rebase, read, rows, fresh),
        }
      })
      if (current !== link) return
      if (written?.committed) {
        unsettled.delete(id)
      } else {
        again()
      }
      host.changed()
    }
    if (drift.isDue && inFlight.size === 0) await correct(current)
  }

  /** Nothing that is refused for its times has to be seen by anybody [L7]. */
  async function correct(current: number): Promise<void> {
    const done = await drift.run(() => inFlight.size === 0 && current === link)
    if (current !== link) return
    if (!done) again()
    host.changed()
  }

  function again(): void {
    clock.schedule(look, AGAIN_MS)
  }

  function look(): void {
    lookAgain = true
    void work()
  }

  function rebaseOf(operation: StoredOperation, failure: OperationFailure | null): Rebase {
    return failure === null ? rebaseAround(operation) : rebaseWithout(replica, operation, failure)
  }

  /** Nothing that is said again may be on its way: its fate has to be known first [L10]. */
  function isUnderWay({ refs }: Rebase): boolean {
    const keys = new Set(refs.map(keyOf))
    return [...inFlight, ...unknown].some((id) => touches(id, keys))
  }

  function touches(id: string, keys: ReadonlySet<EntityKey>): boolean {
    return replica.operation(id)?.parts.some((part) => keys.has(keyOf(part))) ?? false
  }

  /** Entities that are about to be said again: nothing on them may leave before. */
  function heldBack(): Set<EntityKey> {
    const keys = new Set<EntityKey>()
    for (const [id, failure] of unsettled) {
      const operation = storedOperation(id)
      if (operation === undefined || operation.failure !== null) continue
      for (const ref of rebaseOf(operation, failure).refs) keys.add(keyOf(ref))
    }
    return keys
  }

  /** Sends what may go, in outbox order; what waits holds back everything behind it on the same entities [L9]. */
  function pump(): void {
    if (!caughtUp || limits === undefined || drift.isDue) return
    const blocked = heldBack()
    const isWaiting = inFlight.size + handBack.underWay > 0
    // Before everything else: what is made on top of it would be refused [L22].
    let next = handBack.send(limits)
    let sent = false
    for (const operation of replica.saved()) {
      if (inFlight.size + handBack.underWay >= limits.maxInFlight) break
      if (operation.failure !== null || inFlight.has(operation.id)) continue
      const left = backOff.left(operation.id)
      if (left > 0) next = Math.min(next, left)
      if (left > 0 || operation.parts.some((part) => blocked.has(keyOf(part)))) {
        for (const part of operation.parts) blocked.add(keyOf(part))
        continue
      }
      const failure = failureOfSize(operation, limits)
      if (failure !== null || isOutdated(operation)) {
        unsettled.set(operation.id, failure)
        for (const part of operation.parts) blocked.add(keyOf(part))
        lookAgain = true
        void work()
        continue
      }
      inFlight.add(operation.id)
      sent = true
      const isFormer = operation.order <= persistence.space.formerUpTo
      const type = isFormer ? 'handBack' : 'push'
      host.send({ type, channel, operation: toWire(operation) })
    }
    if (!isWaiting && inFlight.size + handBack.underWay > 0) expectAnswer()
    cancelTimer()
    if (next < Number.POSITIVE_INFINITY) cancelTimer = clock.schedule(next > 0 ? pump : look, next)
    if (sent) host.changed()
  }

  /** Whether a document that it changes was renewed since it was made: it has to be said again on the new one [L16]. */
  function isOutdated({ parts }: StoredOperation): boolean {
    return parts.some((part) => {
      const confirmed = replica.entity(part)?.confirmed
      if (confirmed === undefined || confirmed.generation === part.generation) return false
      return lifeOf(confirmed.generation) === lifeOf(part.generation)
    })
  }

  function subscribe(): void {
    const { checkpoint, lastSyncedAt } = persistence.space
    const isWhole = isReadWhole()
    const reading = `${epoch} ${isWhole}`
    if (reading !== stagedFor) staged = []
    stagedFor = reading
    progressive = !isWhole && checkpoint === 0 && lastSyncedAt === null
    const from = isWhole ? 0 : checkpoint
    const since = Math.max(from, staged.at(-1)?.confirmedSequence ?? 0)
    host.send({ type: 'open', channel, space: host.space })
    const ids = [...replica.saved()].filter(({ failure }) => failure === null).map(({ id }) => id)
    for (let index = 0; index < ids.length; index += FATES_PER_FRAME) {
      host.send({ type: 'fates', channel, ids: ids.slice(index, index + FATES_PER_FRAME) })
    }
    host.send({ type: 'subscribe', channel, since, fresh: isWhole })
  }

  return {
    get caughtUp() {
      return caughtUp
    },
    inFlight,
    retryOf: (id) => backOff.of(id),
    up(relayEpoch, relayLimits) {
      link += 1
      epoch = relayEpoch
      limits = relayLimits
      inbox = []
      const { space } = persistence
      const current = link
      // What other tabs saved may have been sent by one of them: its fate is asked for as well [L10].
      const ready =
        space.epoch === null
          ? persistence.write({}, () => ({ space: { epoch } })).then(() => persistence.refresh())
          : persistence.refresh()
      ready.then(
        () => current === link && subscribe(),
        () => current === link && host.fail(),
      )
    },
    receive(message) {
      inbox.push(message)
      void work()
    },
    down() {
      link += 1
      caughtUp = false
      inbox = []
      for (const id of inFlight) unknown.add(id)
      inFlight.clear()
      handBack.down()
      // Rejections come again; a wish of this side's stays.
      for (const [id, failure] of unsettled) if (failure !== ROLLED_BACK) unsettled.delete(id)
      drift.down()
      cancelTimer()
      cancelDeadline()
      host.changed()
    },
    kick: pump,
    lead() {
      for (const { id, failure } of replica.saved()) if (failure === null) unknown.add(id)
    },
    rollBack(id) {
      if (unsettled.get(id) === ROLLED_BACK) return
      unsettled.set(id, ROLLED_BACK)
      look()
    },
  }
}
