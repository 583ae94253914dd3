import {
  type ClientMessage,
  decodeRelayMessage,
  encodeClientMessage,
  PROTOCOL_VERSION,
  type RelayMessage,
  type WireOperation,
} from '@tidemark/core/protocol'
import {
  createMemoryDisk,
  createMemoryStorage,
  type MemoryDisk,
  type RelayStorage,
} from '../storage/index.js'
import type { Relay, RelayOptions } from './ports.js'
import { createRelay } from './relay.js'
import { createVirtualClock, type VirtualClock } from './virtual-clock.test-support.js'

export interface TestRelay {
  readonly relay: Relay
  readonly clock: VirtualClock
  readonly disk: MemoryDisk
  readonly storage: RelayStorage
  /** A connection on which nothing was said yet. */
  connect(onMessage?: (message: RelayMessage) => void): TestConnection
  /** A connection that has said hello and opened `space` as channel 1. */
  join(options?: JoinOptions): Promise<TestConnection>
}

interface JoinOptions {
  readonly user?: string
  readonly replica?: string
  readonly space?: string
  /** Subscribes from there. */
  readonly since?: number
}

export interface TestConnection {
  send(message: ClientMessage): void
  sendBytes(frame: Uint8Array): void
  push(operation: WireOperation, channel?: number): void
  disconnect(): void
  readonly received: readonly RelayMessage[]
  /** What has come since the last call. */
  take(): readonly RelayMessage[]
  readonly closed: { readonly code: number; readonly reason: string } | undefined
  /** What the relay is told to be buffered. */
  bufferedBytes: number
}

export type TestRelayOptions = Partial<RelayOptions> & {
  readonly disk?: MemoryDisk
  readonly beforeCommit?: () => Promise<void>
  readonly afterCommit?: () => Promise<void>
}

export function createTestRelay(options: TestRelayOptions = {}): TestRelay {
  const clock = createVirtualClock()
  const { disk = createMemoryDisk('epoch-1'), beforeCommit, afterCommit, ...rest } = options
  const storage =
    options.storage ??
    createMemoryStorage({
      disk,
      ...(beforeCommit === undefined ? {} : { beforeCommit }),
      ...(afterCommit === undefined ? {} : { afterCommit }),
    })
  let ids = 0
  const relay = createRelay({ clock, randomId: () => `connection-${++ids}`, ...rest, storage })
  const connect = (onMessage?: (message: RelayMessage) => void): TestConnection =>
    createConnection(relay, onMessage)
  return {
    relay,
    clock,
    disk,
    storage,
    connect,
    async join({ user = 'ada', replica = 'replica-a', space = 'team', since } = {}) {
      const connection = connect()
      connection.send(hello({ user, replica }))
      connection.send({ type: 'open', channel: 1, space })
      if (since !== undefined)
        connection.send({ type: 'subscribe', channel: 1, since, fresh: false })
      await settled()
      connection.take()
      return connection
    },
  }
}

export function hello(
  overrides: Partial<Extract<ClientMessage, { type: 'hello' }>> = {},
): ClientMessage {
  return {
    type: 'hello',
    protocol: PROTOCOL_VERSION,
    user: 'ada',
    token: '',
    replica: 'replica-a',
    ...overrides,
  }
}

function createConnection(
  relay: Relay,
  onMessage: (message: RelayMessage) => void = () => {},
): TestConnection {
  const received: RelayMessage[] = []
  let taken = 0
  let closed: TestConnection['closed']
  const connection = {
    bufferedBytes: 0,
    send(frame: Uint8Array) {
      const message = decodeRelayMessage(frame)
      received.push(message)
      onMessage(message)
    },
    close(code: number, reason: string) {
      closed = { code, reason }
    },
  }
  const session = relay.connect(connection)
  return {
    send: (message) => session.receive(encodeClientMessage(message)),
    sendBytes: (frame) => session.receive(frame),
    push: (operation, channel = 1) =>
      session.receive(encodeClientMessage({ type: 'push', channel, operation })),
    disconnect: () => session.closed(),
    received,
    take() {
      const since = received.slice(taken)
      taken = received.length
      return since
    },
    get closed() {
      return closed
    },
    get bufferedBytes() {
      return connection.bufferedBytes
    },
    set bufferedBytes(bytes) {
      connection.bufferedBytes = bytes
    },
  }
}

/** Everything that can happen without time passing or a gate opening has happened: all microtasks have run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** A door that holds everybody who waits at it until a test lets one or all through. */
export interface Gate {
  wait(): Promise<void>
  /** Lets the one through that has waited longest, with an error if there is one. */
  release(error?: Error): Promise<void>
  readonly waiting: number
}

export function createGate(): Gate {
  const queue: ((error: Error | undefined) => void)[] = []
  return {
    wait: () =>
      new Promise((resolve, reject) => {
        queue.push((error) => (error === undefined ? resolve() : reject(error)))
      }),
    release(error) {
      const next = queue.shift()
      if (next === undefined) throw new Error('Nobody waits at the gate.')
      next(error)
      return settled()
    },
    get waiting() {
      return queue.length
    },
  }
}
