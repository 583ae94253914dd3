import type { Page, WebSocket } from 'playwright-core'

/** Counts the websockets that tabs have open. Has to see a tab before it loads the app. */
export interface SocketCount {
  watch(page: Page): void
  readonly open: number
  /** Tabs that have one open. */
  readonly owners: readonly Page[]
}

export function countSockets(): SocketCount {
  const sockets = new Map<WebSocket, Page>()
  const open = (): [WebSocket, Page][] =>
    [...sockets].filter(([socket, page]) => !socket.isClosed() && !page.isClosed())
  return {
    watch(page) {
      page.on('websocket', (socket) => sockets.set(socket, page))
      // Nobody hears of the end of a socket whose tab has crashed.
      page.on('crash', () => {
        for (const [socket, owner] of sockets) if (owner === page) sockets.delete(socket)
      })
    },
    get open() {
      return open().length
    },
    get owners() {
      return open().map(([, page]) => page)
    },
  }
}
