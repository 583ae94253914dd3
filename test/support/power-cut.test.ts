import { describe, expect, test } from 'vitest'
import { survivingLog } from './power-cut.js'

const WAL = '26</data/tidemark.db-wal>'
const write = (offset: number, length: number) =>
  `4711  pwrite64(${WAL}, ""..., ${length}, ${offset}) = ${length}`
const sync = `4711  fsync(${WAL}) = 0 (DELAYED)`

function bytesLeft(...lines: string[]): number {
  return survivingLog(lines.join('\n'), 0).bytes
}

describe('what a power cut leaves of a write-ahead log', () => {
  test('counts what was written before a sync that is over', () => {
    expect(bytesLeft(write(0, 32), write(32, 24), write(56, 4096), sync)).toBe(4152)
  })

  test('does not count what no sync has covered yet', () => {
    expect(bytesLeft(write(0, 32), sync, write(32, 24), write(56, 4096))).toBe(32)
  })

  test('does not count a sync that is still running or that failed', () => {
    expect(bytesLeft(write(0, 32), `4711  fsync(${WAL} <unfinished ...>`)).toBe(0)
    expect(bytesLeft(write(0, 32), `4711  fsync(${WAL}) = -1 EIO (Input/output error)`)).toBe(0)
    expect(bytesLeft(write(0, 32), `4711  <... fsync resumed>) = 0 (DELAYED)`)).toBe(32)
  })

  test('begins anew with a log that is written over from its start', () => {
    const lines = [write(0, 32), write(32, 4120), sync, write(0, 32), write(32, 24)]
    expect(survivingLog(lines.join('\n'), 0)).toEqual({ bytes: 0, generation: 2 })
    expect(bytesLeft(...lines, sync)).toBe(56)
  })

  test('keeps what was there before the tracing began', () => {
    expect(survivingLog('', 4152)).toEqual({ bytes: 4152, generation: 0 })
  })
})
