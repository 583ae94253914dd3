/**
 * Messages among the tabs of one origin (BroadcastChannel).
 *
 * Contract: a message reaches every other open channel of that name at most once, never its sender; it
 * may be lost or late (a frozen tab). Messages are hints: the truth is in the storage.
 */
export interface ChannelFactory {
  open(name: string, onMessage: (message: unknown) => void): Channel
}

export interface Channel {
  /** `message` must be structured-cloneable. */
  post(message: unknown): void
  close(): void
}
