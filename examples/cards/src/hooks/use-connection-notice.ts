import type { ConnectionStatus } from '@tidemark/core'
import { useSyncStatus } from '@tidemark/react'
import { useEffect, useState, useSyncExternalStore } from 'react'

export type ConnectionNotice =
  /** The device has no network. */
  | 'offline'
  /** There is a network, and the relay doesn't answer. */
  | 'unreachable'
  | 'unauthorized'
  | 'incompatible'

/** Breaks that are over sooner than this, in milliseconds, are nobody's business. */
const PATIENCE = 1500

/** Why nothing syncs, once that has lasted; undefined while it does, or may soon. */
export function useConnectionNotice(): ConnectionNotice | undefined {
  const connection = useSyncStatus(({ connection }) => connection)
  const deviceIsOnline = useSyncExternalStore(subscribeToNetwork, () => navigator.onLine)
  const broken = useBroken(connection)
  if (connection === 'unauthorized' || connection === 'incompatible') return connection
  if (!deviceIsOnline) return 'offline'
  return broken ? 'unreachable' : undefined
}

/** True from a break that lasts until the connection is back: attempts in between don't flicker. */
function useBroken(connection: ConnectionStatus): boolean {
  const [broken, setBroken] = useState(false)
  const isUp = connection === 'online'
  useEffect(() => {
    const timer = setTimeout(() => setBroken(!isUp), isUp ? 0 : PATIENCE)
    return () => clearTimeout(timer)
  }, [isUp])
  return broken && !isUp
}

function subscribeToNetwork(listener: () => void): () => void {
  window.addEventListener('online', listener)
  window.addEventListener('offline', listener)
  return () => {
    window.removeEventListener('online', listener)
    window.removeEventListener('offline', listener)
  }
}
