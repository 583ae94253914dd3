import { describe, expect, test } from 'vitest'
import type { TransportHandlers } from '../platform/index.js'
import { encodeRelayMessage, PROTOCOL_VERSION, type RelayMessage } from '../protocol/index.js'
import { createLink } from './link.js'

const welcome: RelayMessage = {
  type: 'welcome',
  protocol: PROTOCOL_VERSION,
  epoch: 'epoch-1',
  serverTime: 0,
  user: 'ada',
  limits: { maxFrameBytes: 1, maxOperationBytes: 1, maxInFlight: 1 },
  tokenExpiresAt: 0,
}

/** A clock whose alarms go off when the test says so. */
function manualClock() {
  const alarms: (() => void)[] = []
  return {
    alarms,
    clock: {
      now: () => 0,
      schedule(callback: () => void) {
        alarms.push(callback)
        return () => {
          const index = alarms.indexOf(callback)
          if (index >= 0) alarms.splice(index, 1)
        }
      },
    },
  }
}

describe('a link', () => {
  test('whose address is refused at once waits and tries again, as after a link that was lost', async () => {
    const { alarms, clock } = manualClock()
    let attempts = 0
    const link = createLink(
      'ws://relay.example',
      {
        clock,
        random: { bytes: (length) => new Uint8Array(length) },
        transport: {
          connect() {
            attempts += 1
            throw new Error('an insecure address on a secure page')
          },
        },
      },
      {
        hello: () => Promise.reject(new Error('never asked for')),
        message: () => undefined,
        down: () => undefined,
        stateChanged: () => undefined,
      },
    )
    link.start()
    await Promise.resolve()
    expect(link.state).toEqual({ kind: 'waiting', attempt: 1 })
    expect(alarms).toHaveLength(1)
    alarms[0]?.()
    expect(attempts).toBe(2)
    await Promise.resolve()
    expect(link.state).toEqual({ kind: 'waiting', attempt: 2 })
    link.stop()
    expect(alarms).toHaveLength(0)
  })
  test('[NET-2] comes back within what the relay asks for, and begins its back-off anew once it has settled', async () => {
    const delays: number[] = []
    let alarm = (): void => undefined
    const sockets: TransportHandlers[] = []
    const link = createLink(
      'ws://relay.example',
      {
        clock: {
          now: () => 0,
          schedule(callback, milliseconds) {
            alarm = callback
            delays.push(milliseconds)
            return () => undefined
          },
        },
        // One half, as a number in [0, 1).
        random: { bytes: (length) => Uint8Array.of(0x80, ...new Uint8Array(length - 1)) },
        transport: {
          connect(_url, handlers) {
            sockets.push(handlers)
            return { send: () => undefined, close: () => undefined }
          },
        },
      },
      {
        hello: () => Promise.resolve({ type: 'ping', nonce: 1 }),
        message: () => undefined,
        down: () => undefined,
        stateChanged: () => undefined,
      },
    )
    async function course(...messages: readonly RelayMessage[]): Promise<number | undefined> {
      const socket = sockets.at(-1)
      socket?.onOpen()
      await Promise.resolve()
      for (const message of messages) socket?.onMessage(encodeRelayMessage(message))
      if (messages.at(-1)?.type === 'caughtUp') link.settled()
      socket?.onClose({ code: 1012, reason: '' })
      const delay = delays.at(-1)
      alarm()
      return delay
    }
    link.start()
    expect(await course(welcome)).toBe(250)
    expect(await course(welcome)).toBe(500)
    expect(await course(welcome, { type: 'goodbye', spread: 8_000 })).toBe(4_000)
    expect(await course({ type: 'goodbye', spread: 6_000 })).toBe(3_000)
    expect(await course(welcome)).toBe(4_000)
    expect(await course(welcome, { type: 'caughtUp', channel: 1, sequence: 0, horizon: 0 })).toBe(
      250,
    )
    link.stop()
  })
})
