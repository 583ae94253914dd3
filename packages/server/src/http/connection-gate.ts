import type { Limits } from '../relay/index.js'

/** What of a socket matters here. */
export interface GateSocket {
  destroy(): void
  once(event: 'close', listener: () => void): unknown
}

export type GateLimits = Pick<
  Limits,
  'maxConnections' | 'maxConnectionsPerAddress' | 'maxHandshakes'
>

/**
 * Bounds how many sockets there are, by address and in all.
 *
 *     accepted ──► waiting ──enter──► waiting, a websocket ──welcomed──► a connection
 *
 * Nobody who waits is turned away: when too many do, the one goes that has waited longest among those of the address
 * that has the most. An honest handshake takes milliseconds; who holds a thousand half-open sockets loses the oldest of
 * them with each new one (reliability S8).
 */
export interface ConnectionGate {
  /** A socket was accepted. */
  accept(socket: GateSocket, address: string): void
  /** Asks to become a websocket. `address` is the client's, as a proxy may tell. */
  enter(socket: GateSocket, address: string): keyof GateLimits | undefined
  /** The client has proven who it is. */
  welcomed(socket: GateSocket): void
  readonly waiting: number
  readonly connections: number
}

interface Entry {
  address: string
  isWaiting: boolean
  isConnection: boolean
}

export function createConnectionGate(
  limits: GateLimits,
  limitHit: (limit: keyof GateLimits, address: string) => void,
): ConnectionGate {
  const entries = new Map<GateSocket, Entry>()
  /** In the order of their arrival, by address. */
  const waiting = new Map<string, Set<GateSocket>>()
  const connections = new Map<string, number>()
  let waitingInAll = 0
  let connectionsInAll = 0

  function startWaiting(socket: GateSocket, entry: Entry): void {
    entry.isWaiting = true
    waitingInAll += 1
    const others = waiting.get(entry.address)
    if (others === undefined) waiting.set(entry.address, new Set([socket]))
    else others.add(socket)
  }

  function stopWaiting(socket: GateSocket, entry: Entry): void {
    if (!entry.isWaiting) return
    entry.isWaiting = false
    waitingInAll -= 1
    const others = waiting.get(entry.address)
    others?.delete(socket)
    if (others?.size === 0) waiting.delete(entry.address)
  }

  function evict(): void {
    let most: ReadonlySet<GateSocket> = new Set()
    for (const others of waiting.values()) if (others.size > most.size) most = others
    for (const oldest of most) {
      const entry = entries.get(oldest)
      if (entry === undefined) return
      limitHit('maxHandshakes', entry.address)
      stopWaiting(oldest, entry)
      oldest.destroy()
      return
    }
  }

  function gone(socket: GateSocket): void {
    const entry = entries.get(socket)
    if (entry === undefined) return
    entries.delete(socket)
    stopWaiting(socket, entry)
    if (!entry.isConnection) return
    connectionsInAll -= 1
    const left = (connections.get(entry.address) ?? 0) - 1
    if (left > 0) connections.set(entry.address, left)
    else connections.delete(entry.address)
  }

  return {
    accept(socket, address) {
      const entry = { address, isWaiting: false, isConnection: false }
      entries.set(socket, entry)
      startWaiting(socket, entry)
      socket.once('close', () => gone(socket))
      if (waitingInAll > limits.maxHandshakes) evict()
    },
    enter(socket, address) {
      const entry = entries.get(socket)
      if (entry === undefined) return 'maxHandshakes'
      const ofAddress = connections.get(address) ?? 0
      const limit =
        connectionsInAll >= limits.maxConnections
          ? 'maxConnections'
          : ofAddress >= limits.maxConnectionsPerAddress
            ? 'maxConnectionsPerAddress'
            : undefined
      if (limit !== undefined) {
        limitHit(limit, address)
        return limit
      }
      stopWaiting(socket, entry)
      entry.address = address
      entry.isConnection = true
      startWaiting(socket, entry)
      connectionsInAll += 1
      connections.set(address, ofAddress + 1)
      return undefined
    },
    welcomed(socket) {
      const entry = entries.get(socket)
      if (entry !== undefined) stopWaiting(socket, entry)
    },
    get waiting() {
      return waitingInAll
    },
    get connections() {
      return connectionsInAll
    },
  }
}
