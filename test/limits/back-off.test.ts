import {
  collection,
  createMemoryStorage,
  createStoreOn,
  defineSchema,
  type Platform,
} from '@tidemark/core'
import {
  createMemoryDisk,
  createRelay,
  createMemoryStorage as createRelayStorage,
  type RelaySession,
} from '@tidemark/server'
import { expect, test } from 'vitest'
import * as z from 'zod'

const schema = defineSchema({
  version: 1,
  collections: { cards: collection({ title: z.string() }) },
})

/** Time that passes only when something waits for it. */
function createTime() {
  let now = 1_700_000_000_000
  let timers: { readonly at: number; readonly run: () => void }[] = []
  return {
    clock: {
      now: () => now,
      schedule(run: () => void, milliseconds: number) {
        const timer = { at: now + milliseconds, run }
        timers.push(timer)
        return () => {
          timers = timers.filter((other) => other !== timer)
        }
      },
    },
    /** Lets whatever is due next happen. */
    step() {
      const next = timers.toSorted((a, b) => a.at - b.at)[0]
      timers = timers.filter((other) => other !== next)
      now = Math.max(now, next?.at ?? now)
      next?.run()
    },
  }
}

const settle = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 0)
  })

test('[NET-2] [NET-3] back-off grows while links are lost before anything has arrived, and begins anew after one that worked', async () => {
  const { clock, step } = createTime()
  const relay = createRelay({
    storage: createRelayStorage({ disk: createMemoryDisk('epoch-1') }),
    clock: { now: clock.now, schedule: () => () => undefined },
    randomId: () => 'connection',
  })
  const connects: number[] = []
  /** Whether frames of the relay get through after its welcome. */
  let isDeaf = true
  let lose = (): void => undefined
  const platform: Platform = {
    clock,
    // One half, as a number in [0, 1); different enough for ids.
    random: {
      bytes: (length) =>
        Uint8Array.from({ length }, (_, index) => (index === 0 ? 0x80 : Math.random() * 256)).fill(
          0,
          1,
          length === 4 ? 4 : 1,
        ),
    },
    transport: {
      connect(_url, handlers) {
        connects.push(clock.now())
        let isOpen = true
        let frames = 0
        const session: RelaySession = relay.connect({
          bufferedBytes: 0,
          send(frame) {
            frames += 1
            if (isOpen && (frames === 1 || !isDeaf)) queueMicrotask(() => handlers.onMessage(frame))
          },
          close: () => undefined,
        })
        lose = () => {
          isOpen = false
          session.closed()
          handlers.onClose({ code: 1006, reason: '' })
        }
        queueMicrotask(() => handlers.onOpen())
        return {
          send: (frame) => session.receive(frame),
          close: () => undefined,
        }
      },
    },
  }
  const store = createStoreOn(
    { schema, user: 'ada', space: 'team', url: 'ws://relay.example' },
    platform,
    createMemoryStorage(),
  )
  await store.ready
  async function delayAfterLoss(): Promise<number> {
    for (let turn = 0; turn < 20; turn++) await settle()
    const lostAt = clock.now()
    const before = connects.length
    lose()
    while (connects.length === before) step()
    return (connects.at(-1) ?? 0) - lostAt
  }
  expect([await delayAfterLoss(), await delayAfterLoss(), await delayAfterLoss()]).toEqual([
    250, 500, 1_000,
  ])
  isDeaf = false
  expect(await delayAfterLoss()).toBe(250)
  expect(await delayAfterLoss()).toBe(250)
  isDeaf = true
  expect(await delayAfterLoss()).toBe(500)
  await store.close()
})
