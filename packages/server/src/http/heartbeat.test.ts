import { expect, it } from 'vitest'
import { createVirtualClock } from '../relay/virtual-clock.test-support.js'
import { createHeartbeat, type HeartbeatSocket } from './heartbeat.js'

function createSocket(): HeartbeatSocket & { pong(): void; pings: number; isTerminated: boolean } {
  const listeners: (() => void)[] = []
  return {
    pings: 0,
    isTerminated: false,
    ping() {
      this.pings += 1
    },
    terminate() {
      this.isTerminated = true
    },
    on: (_event, listener) => listeners.push(listener),
    pong() {
      for (const listener of listeners) listener()
    },
  }
}

it('[NET-4] cuts a socket that missed two pings, and keeps one that answers', () => {
  const clock = createVirtualClock()
  const heartbeat = createHeartbeat(clock)
  const [dead, alive] = [createSocket(), createSocket()]
  heartbeat.watch(dead)
  heartbeat.watch(alive)
  for (let beat = 0; beat < 2; beat++) {
    clock.advance(30_000)
    alive.pong()
  }
  expect([dead.pings, dead.isTerminated]).toEqual([2, false])
  clock.advance(30_000)
  expect([dead.isTerminated, alive.isTerminated]).toEqual([true, false])
  clock.advance(30_000)
  expect(dead.pings).toBe(2)
})

it('leaves a socket alone that it was told to forget, and everything once it is stopped', () => {
  const clock = createVirtualClock()
  const heartbeat = createHeartbeat(clock)
  const [gone, watched] = [createSocket(), createSocket()]
  heartbeat.watch(gone)
  heartbeat.watch(watched)
  heartbeat.forget(gone)
  clock.advance(30_000)
  heartbeat.stop()
  clock.advance(300_000)
  expect([gone.pings, watched.pings, watched.isTerminated]).toEqual([0, 1, false])
})
