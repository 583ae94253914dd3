/**
 * Stock Yjs clients at the relay: the protocol of y-websocket, one entity a connection [L24]. What they write becomes
 * operations like everybody else's, and they hear of everything that is committed to their entity.
 *
 *     session ──► edit queue ──► room ──► sequencer ──► storage
 *        ▲                        │ ▲
 *        └────────────────────────┘ └── rooms ◄── hub (as one more subscriber)
 *
 * Part of the relay's logic and as pure: may import the rest of `relay/`, y-protocols for its encodings, and core's entity code.
 * Never V2 of the update format (reliability F10); decode, validate, commit, and only then apply (F11).
 */
import type { AccessContext } from '../access.js'
import type { RelayConnection, YjsRequest } from '../ports.js'
import type { Session } from '../session.js'
import { createRefusedDocuments } from './refused-documents.js'
import type { YjsContext } from './room.js'
import { createRooms } from './rooms.js'
import { createYjsSession, type YjsSessionContext } from './session.js'

export { isYjsPath } from './address.js'

export interface YjsGateway {
  connect(
    connection: RelayConnection,
    request: YjsRequest,
    connectionId: string,
    onEnd: () => void,
  ): Session
}

export function createYjsGateway(context: YjsContext & AccessContext): YjsGateway {
  const shared: YjsSessionContext = {
    ...context,
    rooms: createRooms(context),
    refused: createRefusedDocuments(),
  }
  return {
    connect: (connection, request, connectionId, onEnd) =>
      createYjsSession(shared, connection, request, connectionId, onEnd),
  }
}
