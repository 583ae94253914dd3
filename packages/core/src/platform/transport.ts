/**
 * A binary, ordered, unreliable-in-time link to a relay: a websocket in the product.
 *
 * Contract: frames arrive whole and in order or not at all; `onClose` is called exactly once, also
 * when the link never opened, and nothing is called after it; `send` after the close does nothing.
 */
export interface Transport {
  connect(url: string, handlers: TransportHandlers): TransportConnection
}

export interface TransportHandlers {
  onOpen(): void
  onMessage(frame: Uint8Array): void
  onClose(close: TransportClose): void
}

export interface TransportClose {
  /** A websocket close code; 1006 when the link was lost without one. */
  readonly code: number
  readonly reason: string
}

export interface TransportConnection {
  send(frame: Uint8Array): void
  close(code?: number, reason?: string): void
}
