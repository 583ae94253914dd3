import { isTidemarkError } from '../errors.js'
import type { Cancel, Platform, TransportConnection } from '../platform/index.js'
import {
  CLOSE_CODES,
  type ClientMessage,
  decodeRelayMessage,
  encodeClientMessage,
  type RelayMessage,
} from '../protocol/index.js'
import {
  type ConnectionEffect,
  type ConnectionEvent,
  type ConnectionState,
  IDLE,
  reduceConnection,
} from './connection.js'

export interface LinkHandlers {
  /** The hello for a link that has just opened. `renew`: the last token was refused. */
  hello(renew: boolean): Promise<ClientMessage>
  /** Messages in the order they arrived; `welcome` is the first of each link. */
  message(message: RelayMessage): void
  /** The link is gone; nothing that was sent on it is known to have arrived. */
  down(): void
  stateChanged(state: ConnectionState): void
}

/** Runs the connection machine on a real transport and a real clock. */
export interface Link {
  readonly state: ConnectionState
  start(): void
  stop(): void
  hint(): void
  send(message: ClientMessage): void
  /** Everything that the relay had has arrived: the next loss is the first one again. */
  settled(): void
  /** Gives the link up because of what came over it; it is built anew after the usual back-off. */
  fail(): void
}

export function createLink(
  url: string,
  { transport, clock, random }: Pick<Platform, 'transport' | 'clock' | 'random'>,
  handlers: LinkHandlers,
): Link {
  let state: ConnectionState = IDLE
  let connection: TransportConnection | undefined
  let cancelAlarm: Cancel = () => undefined
  let nonce = 0

  function dispatch(event: ConnectionEvent): void {
    const previous = state
    const [next, effects] = reduceConnection(previous, event, unit(random.bytes(4)))
    state = next
    for (const effect of effects) perform(effect)
    if (next.kind !== previous.kind) {
      if (previous.kind === 'online') handlers.down()
      handlers.stateChanged(next)
    }
  }

  function perform(effect: ConnectionEffect): void {
    switch (effect.type) {
      case 'connect':
        connect()
        break
      case 'greet':
        void greet()
        break
      case 'ping':
        nonce += 1
        send({ type: 'ping', nonce })
        break
      case 'disconnect': {
        const dead = connection
        connection = undefined
        dead?.close(1000, '')
        break
      }
      case 'alarm':
        cancelAlarm()
        cancelAlarm = clock.schedule(() => dispatch({ type: 'alarm' }), effect.milliseconds)
        break
      case 'cancelAlarm':
        cancelAlarm()
        break
    }
  }

  function connect(): void {
    let own: TransportConnection | undefined
    const current = (): boolean => own !== undefined && own === connection
    try {
      own = transport.connect(url, {
        onOpen: () => current() && dispatch({ type: 'opened' }),
        onMessage: (frame) => current() && receive(frame),
        onClose: ({ code, reason }) => {
          if (!current()) return
          connection = undefined
          dispatch({ type: 'lost', code, reason })
        },
      })
    } catch {
      // Some addresses are refused at once, `ws://` on an https page for example: like a link that is lost at once.
      queueMicrotask(() => {
        if (state.kind === 'connecting') dispatch({ type: 'lost', code: 1006, reason: '' })
      })
    }
    connection = own
  }

  async function greet(): Promise<void> {
    const own = connection
    try {
      const hello = await handlers.hello('refused' in state)
      if (own === connection) send(hello)
    } catch {
      // `auth` failed. That is the app's network as likely as the app's mistake: try again later.
      if (own === connection) fail()
    }
  }

  function receive(frame: Uint8Array): void {
    let message: RelayMessage
    try {
      message = decodeRelayMessage(frame)
    } catch (error) {
      if (!isTidemarkError(error)) throw error
      fail()
      return
    }
    if (message.type === 'welcome') dispatch({ type: 'welcomed' })
    else dispatch({ type: 'heard' })
    if (message.type === 'goodbye') dispatch(message)
    if (state.kind === 'online' && message.type !== 'pong') handlers.message(message)
  }

  function send(message: ClientMessage): void {
    connection?.send(encodeClientMessage(message))
  }

  function fail(): void {
    const dead = connection
    connection = undefined
    dead?.close(CLOSE_CODES.protocolViolation, '')
    dispatch({ type: 'lost', code: 1006, reason: 'given up' })
  }

  return {
    get state() {
      return state
    },
    start: () => dispatch({ type: 'start' }),
    stop: () => dispatch({ type: 'stop' }),
    hint: () => dispatch({ type: 'hint' }),
    send,
    settled() {
      if (state.kind === 'online' && state.attempt > 0) dispatch({ type: 'settled' })
    },
    fail,
  }
}

/** Four random bytes as a number in [0, 1). */
function unit(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32
}
