import type { RelayMessage, WireOperation } from '@tidemark/core/protocol'
import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS } from './limits.js'
import { createTestRelay, settled, type TestConnection } from './test-relay.test-support.js'
import { createWriter } from './writer.test-support.js'

const BOUND = DEFAULT_LIMITS.maxClockDrift * 1000
const HOUR_MS = 3_600_000
const YEARS_MS = 10 * 365 * 24 * HOUR_MS

/** A relay, and a device that tells whatever time a test sets. */
async function situation(limits = {}) {
  const relay = createTestRelay({ limits })
  const connection = await relay.join()
  const device = { time: relay.clock.now() * 1000 }
  const writer = createWriter({ now: () => device.time })
  const push = (operation: WireOperation): Promise<RelayMessage | undefined> =>
    answer(connection, operation)
  return { relay, device, writer, push, now: () => relay.clock.now() * 1000 }
}

async function answer(
  connection: TestConnection,
  operation: WireOperation,
): Promise<RelayMessage | undefined> {
  connection.push(operation)
  await settled()
  return connection.take()[0]
}

describe('a time in an operation', () => {
  it('[L7] may be ahead by the bound, in elements and in the envelope', async () => {
    const { device, writer, push, now } = await situation()
    device.time = now() + BOUND
    expect(await push(writer.write('one', { a: 1 }))).toMatchObject({ type: 'ack' })
  })

  it("[L7] [CLK-1] further ahead is refused for now, with the relay's time, and has no effect", async () => {
    const { relay, device, writer, push, now } = await situation()
    device.time = now() + YEARS_MS * 1000
    expect(await push(writer.write('one', { a: 1 }))).toMatchObject({
      type: 'reject',
      code: 'drift',
      retryable: true,
      retryAfter: 0,
      serverTime: relay.clock.now(),
    })
    expect(relay.disk.spaces.get('team')?.entities.size ?? 0).toBe(0)
  })

  it('[L7] counts when it stands in the envelope only, or in an element only', async () => {
    const { device, writer, push, now } = await situation()
    const late = now() + BOUND + 1
    const envelope = writer.part('one', { a: 1 }, { lastModified: late })
    expect(await push(writer.operation(envelope))).toMatchObject({ code: 'drift' })
    device.time = late
    const element = writer.part('two', { a: 1 }, { lastModified: now() })
    expect(await push(writer.operation(element))).toMatchObject({ code: 'drift' })
  })

  it('[CLK-1] may be as far in the past as it likes', async () => {
    const { device, writer, push } = await situation()
    device.time = 0
    expect(await push(writer.write('one', { a: 1 }))).toMatchObject({ type: 'ack' })
  })

  it('[L7] is bounded as the limits say', async () => {
    const { device, writer, push, now } = await situation({ maxClockDrift: 10 })
    device.time = now() + 10_001
    expect(await push(writer.write('one', { a: 1 }))).toMatchObject({ code: 'drift' })
  })
})

describe("a relay's own clock", () => {
  it('[L7] [CLK-2] set back blocks nobody who goes on from what is confirmed', async () => {
    const { relay, device, writer, push, now } = await situation()
    device.time = now()
    await push(writer.write('one', { a: 1 }))
    relay.clock.advance(-2 * HOUR_MS)
    // One microsecond for each element and one for the envelope.
    device.time += 3
    expect(await push(writer.write('one', { a: 2, b: 2 }))).toMatchObject({ type: 'ack' })
    device.time += 3
    const tooFar = await push(writer.write('one', { a: 3 }))
    expect(tooFar).toMatchObject({ type: 'reject', code: 'drift', serverTime: relay.clock.now() })
  })
})

describe('an operation that follows a refused creation', () => {
  it('[L20] is early, not an update of something that is gone', async () => {
    const { device, writer, push, now } = await situation()
    device.time = now() + BOUND + 1
    expect(await push(writer.write('one', { a: 1 }))).toMatchObject({ code: 'drift' })
    device.time = now()
    expect(await push(writer.write('one', { a: 2 }))).toMatchObject({ code: 'gap' })
  })
})
