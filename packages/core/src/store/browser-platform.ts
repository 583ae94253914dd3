import type { Lifecycle, LockManager, Platform, Transport } from '../platform/index.js'
import { SUBPROTOCOL } from '../protocol/index.js'

/** The ports on top of what a browser has; what it lacks is left out. */
export function createBrowserPlatform(): Platform {
  return {
    clock: {
      now: () => Date.now(),
      schedule(callback, milliseconds) {
        const timer = setTimeout(callback, milliseconds)
        return () => clearTimeout(timer)
      },
    },
    random: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    transport: webSocketTransport,
    locks:
      typeof navigator === 'object' && 'locks' in navigator ? webLocks(navigator.locks) : undefined,
    channels:
      typeof BroadcastChannel === 'undefined'
        ? undefined
        : {
            open(name, onMessage) {
              const channel = new BroadcastChannel(name)
              channel.onmessage = (event) => onMessage(event.data)
              return {
                post: (message) => channel.postMessage(message),
                close: () => channel.close(),
              }
            },
          },
    lifecycle: typeof document === 'undefined' ? undefined : pageLifecycle,
  }
}

const webSocketTransport: Transport = {
  connect(url, handlers) {
    const socket = new WebSocket(url, SUBPROTOCOL)
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => handlers.onOpen()
    socket.onmessage = ({ data }) => {
      // Text is not of the protocol; an empty frame makes the reader say so.
      handlers.onMessage(data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array())
    }
    socket.onclose = ({ code, reason }) => handlers.onClose({ code, reason })
    return {
      send(frame) {
        if (socket.readyState === WebSocket.OPEN) socket.send(frame as Uint8Array<ArrayBuffer>)
      },
      // A browser takes 1000 and 3000 to 4999 only.
      close: (code = 1000, reason = '') => socket.close(code, reason),
    }
  },
}

function webLocks(locks: globalThis.LockManager): LockManager {
  return {
    request: (name, { ifAvailable = false, signal }, hold) =>
      // The browser refuses a signal together with `ifAvailable`.
      locks.request(name, ifAvailable ? { ifAvailable } : signal ? { signal } : {}, (lock) =>
        hold(lock !== null),
      ),
  }
}

const pageLifecycle: Lifecycle = {
  subscribe(listener) {
    const whenVisible = (): void => {
      if (document.visibilityState === 'visible') listener()
    }
    document.addEventListener('visibilitychange', whenVisible)
    document.addEventListener('resume', listener)
    window.addEventListener('online', listener)
    window.addEventListener('pageshow', listener)
    return () => {
      document.removeEventListener('visibilitychange', whenVisible)
      document.removeEventListener('resume', listener)
      window.removeEventListener('online', listener)
      window.removeEventListener('pageshow', listener)
    }
  },
  onHide(listener) {
    const whenHidden = (): void => {
      if (document.visibilityState === 'hidden') listener()
    }
    document.addEventListener('visibilitychange', whenHidden)
    window.addEventListener('pagehide', listener)
    return () => {
      document.removeEventListener('visibilitychange', whenHidden)
      window.removeEventListener('pagehide', listener)
    }
  },
  onLeave(listener) {
    window.addEventListener('pagehide', listener)
    return () => window.removeEventListener('pagehide', listener)
  },
}
