import type { IncomingMessage } from 'node:http'
import { WebSocketServer } from 'ws'
import type { Limits, YjsRequest } from '../relay/index.js'

/** Offered beside the token, so that there is something to choose: browsers want one of what they offered. */
const YJS_SUBPROTOCOL = 'tidemark.yjs'
const TOKEN_PREFIX = 'token.'
/** Fragments of one message; honest clients send one (reliability S5). */
const MAX_FRAGMENTS = 1024

/**
 * Websockets of stock Yjs clients. Frames up to the size of an entity get in, to be refused with a code after which the
 * client stays away; that of the websocket protocol (1009) makes it come back for ever.
 */
export function createYjsSockets({
  maxEntityBytes,
}: Pick<Limits, 'maxEntityBytes'>): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: true,
    perMessageDeflate: false,
    maxPayload: maxEntityBytes,
    maxFragments: MAX_FRAGMENTS,
    handleProtocols: (offered) => (offered.has(YJS_SUBPROTOCOL) ? YJS_SUBPROTOCOL : false),
  })
}

/** The token is a parameter of the address, or a subprotocol, which stays out of logs of addresses. */
export function toYjsRequest({
  url = '',
  headers,
}: Pick<IncomingMessage, 'url' | 'headers'>): YjsRequest {
  const [path = '', query = ''] = url.split('?', 2)
  const parameters = new URLSearchParams(query)
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? []
  const protocol = offered.find((name) => name.startsWith(TOKEN_PREFIX))
  return {
    path,
    token: protocol?.slice(TOKEN_PREFIX.length) ?? parameters.get('token') ?? '',
    user: parameters.get('user') ?? undefined,
  }
}
