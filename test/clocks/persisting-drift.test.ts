import {
  decodeClientMessage,
  decodeRelayMessage,
  encodeRelayMessage,
} from '@tidemark/core/protocol'
import { expect, test } from 'vitest'
import { schema } from '../simulation/cards.js'
import { createDevice } from '../simulation/device.js'
import { createNetwork } from '../simulation/network.js'
import { seededRandom } from '../simulation/random.js'
import { createRelayHost } from '../simulation/relay-host.js'
import { createScheduler } from '../simulation/scheduler.js'

const HOUR_MS = 3_600_000

test('[L7] [CLK-1] a relay that refuses every time, however right, is asked less and less often', async () => {
  const scheduler = createScheduler()
  const random = seededRandom(1)
  // It judges by a clock that is an hour behind, and tells the right time.
  const host = createRelayHost(scheduler, random.fork())
  host.setClock(-HOUR_MS)
  const pushes: number[] = []
  const network = createNetwork(scheduler, random.fork(), () => {
    const { relay } = host
    return (
      relay &&
      ((connection) => {
        const session = relay.connect({
          ...connection,
          send: (frame) => connection.send(withTime(frame)),
        })
        return {
          closed: () => session.closed(),
          receive(frame) {
            if (decodeClientMessage(frame).type === 'push') pushes.push(scheduler.now)
            session.receive(frame)
          },
        }
      })
    )
  })
  const device = createDevice(scheduler, random.fork(), network, {
    schema,
    user: 'ada',
    locks: true,
  })
  const opening = device.open()
  await scheduler.runUntil(() => device.tabs.length > 0, 10_000)
  const { store } = await opening
  const { id } = store.cards.insert({ id: 'card', title: 'Hi' })

  const started = scheduler.now
  await scheduler.runUntil(() => false, HOUR_MS / 2)
  // Three times at once, then doubling from 200 ms to 30 s.
  expect(pushes.filter((time) => time - started < 2_000).length).toBeLessThan(10)
  expect(pushes.length).toBeGreaterThan(30)
  expect(pushes.length).toBeLessThan(80)
  // By now somebody should know.
  expect(store.operations.current).toMatchObject([
    { id, state: 'retrying', lastError: { code: 'drift' } },
  ])
  expect(store.cards.get('card')).toMatchObject({ title: 'Hi', $status: 'pending' })
})

/** The same frame with the right time in it. */
function withTime(frame: Uint8Array): Uint8Array {
  const message = decodeRelayMessage(frame)
  if (!('serverTime' in message)) return frame
  return encodeRelayMessage({ ...message, serverTime: message.serverTime + HOUR_MS })
}
