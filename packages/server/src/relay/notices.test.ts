import { expect, it } from 'vitest'
import { silentLog } from '../log.js'
import { NO_METRICS } from './metrics.js'
import { createNotices } from './notices.js'
import { createVirtualClock } from './virtual-clock.test-support.js'

function create() {
  const lines: Readonly<Record<string, unknown>>[] = []
  const counted: unknown[] = []
  const clock = createVirtualClock()
  const notices = createNotices({
    clock,
    log: {
      ...silentLog,
      info: (fields, message) => lines.push({ ...fields, message }),
      warn: (fields, message) => lines.push({ ...fields, message }),
    },
    metrics: {
      ...NO_METRICS,
      closed: (code) => counted.push(code),
      limitHit: (limit) => counted.push(limit),
    },
  })
  return { notices, lines, counted, clock }
}

it('a flood of one kind is counted in full and logged in part, and the log says how much it left out', () => {
  const { notices, lines, counted, clock } = create()
  for (let time = 0; time < 1_000; time++) notices.limitHit('framesPerSecond', { connection: 'c' })
  expect(counted).toHaveLength(1_000)
  expect(lines).toHaveLength(20)
  clock.advance(10_000)
  notices.limitHit('framesPerSecond', { connection: 'd' })
  expect(lines.at(-1)).toEqual({
    limit: 'framesPerSecond',
    connection: 'd',
    suppressed: 980,
    message: 'a limit was hit',
  })
})

it('one kind does not silence another', () => {
  const { notices, lines } = create()
  for (let time = 0; time < 100; time++) notices.closed(4400, { reason: 'malformed' })
  notices.closed(4508, { reason: 'slow' })
  notices.closed(undefined, {})
  expect(lines.slice(-2)).toEqual([
    { code: 4508, reason: 'slow', message: 'connection closed by the relay' },
    { message: 'connection closed by the client' },
  ])
})
