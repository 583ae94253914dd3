import type { Channel, ChannelFactory, LockManager } from '../platform/index.js'
import type { PresenceTabMessage } from '../presence/index.js'
import type { ConnectionStatus } from './connection.js'

/** What tabs of one replica tell each other. Hints: the truth is in the storage. */
export type TabMessage =
  /** Rows up to that change are committed. */
  | { readonly type: 'committed'; readonly change: number }
  /** What the tab with the link sees. */
  | {
      readonly type: 'link'
      readonly connection: ConnectionStatus
      readonly inFlight: readonly string[]
      /** How far the relay's clock is ahead of the device's, in milliseconds; null while that tab doesn't know. */
      readonly clockOffset: number | null
      /** Since when it could send presence; null while it can't. Missing from older versions of the app. */
      readonly since?: number | null
      /** Why the relay doesn't let the user in. */
      readonly reason?: string
    }
  /** A new tab asks for the above. */
  | { readonly type: 'ask' }
  /** A tab that doesn't have the link wants an operation taken back, whose fate only the one with the link knows. */
  | { readonly type: 'rollBack'; readonly id: string }
  /** A tab that doesn't have the link wants it tried again now. */
  | { readonly type: 'reconnect' }
  /** The local data is being deleted. */
  | { readonly type: 'destroyed' }
  | PresenceTabMessage

export interface Tabs {
  post(message: TabMessage): void
  close(): void
}

/**
 * The tabs of one device. Each is a full peer; the lead only saves sockets: it falls to the first tab that asks, and
 * to the next one in the queue when that tab goes. Without Web Locks every tab leads itself. No handler is called before
 * this function has returned.
 */
export function joinTabs(
  name: string,
  {
    locks,
    channels,
  }: { readonly locks?: LockManager | undefined; readonly channels?: ChannelFactory | undefined },
  handlers: { lead(): void; message(message: TabMessage): void },
): Tabs {
  const channel: Channel | undefined = channels?.open(name, (message) => {
    if (isTabMessage(message)) handlers.message(message)
  })
  const abort = new AbortController()
  let release: () => void = () => undefined
  if (locks === undefined || channel === undefined) {
    queueMicrotask(() => {
      if (!abort.signal.aborted) handlers.lead()
    })
  } else {
    locks
      .request(`${name}:lead`, { signal: abort.signal }, () => {
        if (abort.signal.aborted) return Promise.resolve()
        handlers.lead()
        return new Promise<void>((resolve) => {
          release = resolve
        })
      })
      .catch(() => undefined)
  }
  return {
    post: (message) => channel?.post(message),
    close() {
      abort.abort()
      release()
      channel?.close()
    },
  }
}

const TYPES = new Set([
  'committed',
  'link',
  'ask',
  'rollBack',
  'reconnect',
  'destroyed',
  'present',
  'peers',
])

/** A tab with another version of the app may say anything. */
function isTabMessage(message: unknown): message is TabMessage {
  return (
    typeof message === 'object' &&
    message !== null &&
    'type' in message &&
    typeof message.type === 'string' &&
    TYPES.has(message.type)
  )
}
