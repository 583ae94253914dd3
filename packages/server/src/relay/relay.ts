import { CLOSE_CODES, encodeRelayMessage } from '@tidemark/core/protocol'
import { silentLog } from '../log.js'
import { grantAccess } from './access.js'
import { createArrivals } from './arrivals.js'
import { wanted } from './catch-up.js'
import { checkedLimits } from './check-limits.js'
import { createDamagedEntities } from './damaged-entities.js'
import { within } from './deadline.js'
import { createHousekeeping } from './housekeeping.js'
import { createHub } from './hub.js'
import { TRUSTED } from './identity.js'
import { NO_METRICS } from './metrics.js'
import { createNotices } from './notices.js'
import { createPolicy } from './policy.js'
import type { Relay, RelayOptions } from './ports.js'
import { createPresence } from './presence.js'
import { Refusal } from './refusal.js'
import { createRevocations } from './revocations.js'
import { createSequencer } from './sequencer.js'
import { createSession, type Session, type SessionContext } from './session.js'
import { createSlowReaders } from './slow-readers.js'
import { createUserBudgets } from './user-budgets.js'
import { createUserConnections } from './user-connections.js'
import { createYjsGateway } from './yjs/index.js'

/**
 * The relay without its surroundings: it reads no clock, draws no random number and knows no socket but those that are
 * handed in, so that a simulation of many replicas runs this very code.
 */
export function createRelay(options: RelayOptions): Relay {
  const { storage, clock, randomId, log = silentLog, metrics = NO_METRICS } = options
  const limits = checkedLimits(options.limits)
  const hub = createHub((space) => sequencer.forget(space))
  const damaged = createDamagedEntities()
  const sequencer = createSequencer({
    storage,
    clock,
    limits,
    log,
    metrics,
    policy: createPolicy({ authorize: options.authorize, schema: options.schema, log }),
    async recover() {
      for (const space of hub.spaces()) hub.align(space, await storage.head(space))
    },
    randomSuffix: () =>
      randomId()
        .toLowerCase()
        .replace(/[^0-9a-z]/g, '')
        .slice(-16),
    damaged(space, entities) {
      damaged.note(space, entities)
      hub.tell(space, wanted(entities))
    },
    handedBack: (space, entities) => damaged.forget(space, entities),
    renewed: ({ space, sequence, entity }) =>
      hub.announce(space, sequence, (channel) =>
        encodeRelayMessage({ type: 'renewed', channel, sequence, entity }),
      ),
  })
  const presence = createPresence({ clock, limits })
  const housekeeping = createHousekeeping({
    storage,
    sequencer,
    clock,
    limits,
    log,
    purged: (space, horizon) =>
      hub.tell(space, (channel) => encodeRelayMessage({ type: 'purged', channel, horizon })),
  })
  housekeeping.start()
  const sessions = new Set<Session>()
  const slowReaders = createSlowReaders(limits, clock)
  const arrivals = createArrivals(limits, clock)
  const context: SessionContext = {
    storage,
    clock,
    limits,
    log,
    sequencer,
    hub,
    presence,
    damaged,
    authenticate: options.authenticate ?? (({ user }) => ({ user, spaces: TRUSTED })),
    revocations: createRevocations(log),
    metrics,
    notices: createNotices({ clock, log, metrics }),
    users: createUserBudgets(limits, clock),
    arrivals,
    connections: createUserConnections(),
  }
  const yjs = createYjsGateway({ ...context, operationId: options.operationId ?? randomId })
  let stopping = false

  function forget(session: Session): void {
    sessions.delete(session)
    slowReaders.forget(session)
  }

  function watch(session: Session): Session {
    sessions.add(session)
    slowReaders.watch(session)
    if (stopping) session.close(CLOSE_CODES.restarting, 'The relay stops.')
    return session
  }

  return {
    presence,
    connect(connection) {
      const session = createSession(context, connection, randomId(), () => forget(session))
      return watch(session)
    },
    connectYjs(connection, request) {
      const end = (): void => forget(session)
      const session = yjs.connect(connection, request, randomId(), end)
      return watch(session)
    },
    async identify(credentials) {
      const ignore = (): void => undefined
      try {
        const events = { authenticated: ignore, rolesChanged: ignore, ended: ignore }
        const granted = grantAccess(context, credentials, events)
        const access = await within(clock, limits.authenticateDeadline, granted)
        access.stop()
        return access
      } catch (error) {
        if (error instanceof Refusal) return undefined
        throw error
      }
    },
    connections: () => [...sessions].flatMap((session) => session.summary() ?? []),
    revoke(revocation) {
      log.info({ ...revocation }, 'revoked')
      context.revocations.note(revocation, clock.now())
      for (const session of [...sessions]) session.revoke(revocation)
    },
    ready() {
      if (stopping) return { ready: false, reason: 'stopping' }
      if (sequencer.isFailing()) return { ready: false, reason: 'storage-failing' }
      return { ready: true }
    },
    stats() {
      const all = [...sessions]
      const open = all.filter((session) => session.isOpen).length
      const { operations, reads } = sequencer.waiting()
      return {
        greeting: all.length - open,
        open,
        spaces: hub.spaces().length,
        bufferedBytes: all.reduce((sum, session) => sum + session.bufferedBytes, 0),
        queuedOperations: operations,
        queuedReads: reads,
        storageFailing: sequencer.isFailing(),
      }
    },
    async stop() {
      stopping = true
      housekeeping.stop()
      for (const session of sessions) session.pause()
      await sequencer.stop()
      presence.stop()
      const spread = arrivals.spreadOf(sessions.size)
      for (const session of sessions) {
        if (session.isOpen) session.goodbye(spread)
        session.close(CLOSE_CODES.restarting, 'The relay stops.')
      }
    },
  }
}
