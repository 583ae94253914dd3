import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS } from './limits.js'
import { createSlowReaders, type Reader } from './slow-readers.js'
import { createVirtualClock } from './virtual-clock.test-support.js'

interface TestReader extends Reader {
  sentBytes: number
  bufferedBytes: number
  readonly cuts: string[]
}

function createReader(): TestReader {
  const cuts: string[] = []
  return { sentBytes: 0, bufferedBytes: 0, cuts, cut: (limit) => void cuts.push(limit) }
}

describe('a reader', () => {
  it('[S7] that takes nothing for 30 seconds is cut, and one that crawls is not', () => {
    const clock = createVirtualClock()
    const readers = createSlowReaders(DEFAULT_LIMITS, clock)
    const [stuck, crawling, idle] = [createReader(), createReader(), createReader()]
    for (const reader of [stuck, crawling, idle]) readers.watch(reader)
    for (const reader of [stuck, crawling]) {
      reader.sentBytes = 1_000_000
      reader.bufferedBytes = 900_000
    }
    for (let second = 0; second < 28; second += 2) {
      clock.advance(2_000)
      crawling.bufferedBytes -= 1
    }
    expect(stuck.cuts).toEqual([])
    for (let second = 0; second < 6; second += 2) {
      clock.advance(2_000)
      crawling.bufferedBytes -= 1
    }
    expect(stuck.cuts[0]).toBe('maxStall')
    expect([crawling.cuts, idle.cuts]).toEqual([[], []])
  })

  it('[CLK-2] is given its time again when the clock is set back', () => {
    const clock = createVirtualClock()
    let ahead = 3_600_000
    const readers = createSlowReaders(DEFAULT_LIMITS, { ...clock, now: () => clock.now() + ahead })
    const reader = createReader()
    readers.watch(reader)
    Object.assign(reader, { sentBytes: 10, bufferedBytes: 10 })
    clock.advance(20_000)
    ahead = 0
    clock.advance(28_000)
    expect(reader.cuts).toEqual([])
    clock.advance(6_000)
    expect(reader.cuts).not.toEqual([])
  })

  it('[O10] with the most goes first when too much is buffered in all', () => {
    const clock = createVirtualClock()
    const limits = { ...DEFAULT_LIMITS, maxBufferedInAll: 1_000 }
    const readers = createSlowReaders(limits, clock)
    const sizes = [100, 700, 300, 400]
    const all = sizes.map((size) => Object.assign(createReader(), { bufferedBytes: size }))
    for (const reader of all) readers.watch(reader)
    clock.advance(2_000)
    expect(all.map(({ cuts }) => cuts)).toEqual([[], ['maxBufferedInAll'], [], []])
  })

  it('is forgotten when it is gone, and nothing is scheduled for nobody', () => {
    let scheduled = 0
    const readers = createSlowReaders(DEFAULT_LIMITS, {
      now: () => 0,
      schedule() {
        scheduled += 1
        return () => {
          scheduled -= 1
        }
      },
    })
    const reader = createReader()
    readers.watch(reader)
    expect(scheduled).toBe(1)
    readers.forget(reader)
    expect(scheduled).toBe(0)
  })
})
