import { describe, expect, test } from 'vitest'
import { createLink } from './link.js'

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
})
