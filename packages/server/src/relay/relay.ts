import { CLOSE_CODES, encodeRelayMessage } from '@tidemark/core/protocol'
import { silentLog } from '../log.js'
import { wanted } from './catch-up.js'
import { createDamagedEntities } from './damaged-entities.js'
import { createHousekeeping } from './housekeeping.js'
import { createHub } from './hub.js'
import { TRUSTED } from './identity.js'
import { DEFAULT_LIMITS } from './limits.js'
import { createPolicy } from './policy.js'
import type { Relay, RelayOptions } from './ports.js'
import { createRevocations } from './revocations.js'
import { createSequencer } from './sequencer.js'
import { createSession, type Session, type SessionContext } from './session.js'
import { createYjsGateway } from './yjs/index.js'

/**
 * The relay without its surroundings: it reads no clock, draws no random number and knows no socket but those that are
 * handed in, so that a simulation of many replicas runs this very code.
 */
export function createRelay(options: RelayOptions): Relay {
  const { storage, clock, randomId, log = silentLog } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const hub = createHub()
  const damaged = createDamagedEntities()
  const sequencer = createSequencer({
    storage,
    clock,
    limits,
    log,
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
  const context: SessionContext = {
    storage,
    clock,
    limits,
    log,
    sequencer,
    hub,
    damaged,
    authenticate: options.authenticate ?? (({ user }) => ({ user, spaces: TRUSTED })),
    revocations: createRevocations(log),
  }
  const yjs = createYjsGateway({ ...context, operationId: options.operationId ?? randomId })
  let stopping = false

  function watch(session: Session): Session {
    sessions.add(session)
    if (stopping) session.close(CLOSE_CODES.restarting, 'The relay stops.')
    return session
  }

  return {
    connect(connection) {
      const end = (): void => void sessions.delete(session)
      const session = createSession(context, connection, randomId(), end)
      return watch(session)
    },
    connectYjs(connection, request) {
      const end = (): void => void sessions.delete(session)
      const session = yjs.connect(connection, request, randomId(), end)
      return watch(session)
    },
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
    async stop() {
      stopping = true
      housekeeping.stop()
      for (const session of sessions) session.pause()
      await sequencer.stop()
      for (const session of sessions) session.close(CLOSE_CODES.restarting, 'The relay stops.')
    },
  }
}
