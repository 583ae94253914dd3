import type { Clock } from '@tidemark/core'

const INTERVAL_MS = 30_000
/** Unanswered pings after which a socket counts as dead. */
const MAX_MISSED = 2

export interface HeartbeatSocket {
  ping(): void
  terminate(): void
  on(event: 'pong', listener: () => void): unknown
}

/**
 * Finds sockets whose other end is gone without a word. Only that: a frozen tab still answers pings
 * (reliability F9), and slow readers are cut by what is buffered for them.
 */
export interface Heartbeat {
  watch(socket: HeartbeatSocket): void
  forget(socket: HeartbeatSocket): void
  stop(): void
}

export function createHeartbeat(clock: Clock): Heartbeat {
  const missed = new Map<HeartbeatSocket, number>()
  let cancel = clock.schedule(beat, INTERVAL_MS)

  function beat(): void {
    for (const [socket, count] of missed) {
      if (count >= MAX_MISSED) {
        missed.delete(socket)
        socket.terminate()
      } else {
        missed.set(socket, count + 1)
        socket.ping()
      }
    }
    cancel = clock.schedule(beat, INTERVAL_MS)
  }

  return {
    watch(socket) {
      missed.set(socket, 0)
      socket.on('pong', () => {
        if (missed.has(socket)) missed.set(socket, 0)
      })
    },
    forget(socket) {
      missed.delete(socket)
    },
    stop() {
      cancel()
    },
  }
}
