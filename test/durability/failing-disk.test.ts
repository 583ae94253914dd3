import { describe, expect, test } from 'vitest'
import { hasStrace } from '../support/strace.js'
import { failAtWork } from './failing-round.js'
import type { Fault } from './faults.js'

const LOG: Fault['files'] = ['tidemark.db-wal']
const DATABASE: Fault['files'] = ['tidemark.db']

describe.runIf(hasStrace())('a relay whose disk fails', () => {
  test.for<Fault>([
    { call: 'pwrite64', files: LOG, error: 'ENOSPC', when: '60..61' },
    { call: 'pwrite64', files: LOG, error: 'EIO', when: 100 },
    { call: 'fsync', files: LOG, error: 'EIO', when: '8..9' },
  ])(
    '[DUR-5] refuses what it can not commit, goes on being read, and recovers: $call $error $when',
    async (fault) => {
      const { problems, faults, unavailable } = await failAtWork(fault, { passes: true })
      expect(problems).toEqual([])
      expect(faults).toBeGreaterThan(0)
      expect(unavailable).toBeGreaterThan(0)
    },
  )

  test.for<Fault>([
    { call: 'pwrite64', files: LOG, error: 'ENOSPC', when: '60+' },
    { call: 'fsync', files: LOG, error: 'EIO', when: '8+' },
  ])(
    '[DUR-5] says that it is not ready, and stops without a loss while it still fails: $call $error $when',
    async (fault) => {
      const { problems, unavailable } = await failAtWork(fault, { passes: false })
      expect(problems).toEqual([])
      expect(unavailable).toBeGreaterThan(0)
    },
  )

  test.for<Fault>([
    { call: 'pwrite64', files: DATABASE, error: 'EIO', when: 40 },
    { call: 'fsync', files: DATABASE, error: 'EIO', when: '3+' },
  ])(
    '[DUR-5] loses nothing when the log can not be put into the database: $call $error $when',
    async (fault) => {
      const { problems, faults } = await failAtWork(fault, { passes: true, bytes: 400_000 })
      expect(problems).toEqual([])
      expect(faults).toBeGreaterThan(0)
    },
  )

  test.for<Fault>([
    { call: 'fsync', files: LOG, error: 'EIO', when: 5 },
    { call: 'pwrite64', files: DATABASE, error: 'ENOSPC', when: 1 },
  ])('[DUR-5] says why it does not start, and starts later: $call $error $when', async (fault) => {
    const { problems, refusedToStart } = await failAtWork(fault, { passes: true })
    expect(problems).toEqual([])
    expect(refusedToStart).toBe(true)
  })
})
