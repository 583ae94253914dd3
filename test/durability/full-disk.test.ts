import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { examineRestart } from './examination.js'
import { becomesReady, lookAtFailing, pushOpen } from './failing-round.js'
import { canMount, withSmallDisk } from './full-disk.js'
import { createLedger } from './ledger.js'
import { createAuthor } from './operations.js'
import { startLife } from './relay-life.js'

const BYTES = 100_000

describe.runIf(await canMount())('a relay whose disk is full', () => {
  test('[DUR-5] goes on being read, and takes everything once there is room again', async () => {
    await withSmallDisk(async (disk) => {
      const data = join(disk.folder, 'data')
      const [ledger, author] = [createLedger(), createAuthor()]
      const problems: string[] = []
      const life = await startLife({ data })
      const url = life.url ?? ''
      ledger.send(author.write(1, BYTES))
      expect(await pushOpen(url, ledger, problems)).toBe(0)

      disk.fill()
      for (let pair = 2; pair < 6; pair++) ledger.send(author.write(pair, BYTES))
      expect(await pushOpen(url, ledger, problems)).toBeGreaterThan(0)
      expect(await lookAtFailing(url, ledger, false)).toEqual([])

      disk.free()
      expect(await becomesReady(url)).toBe(true)
      expect(await pushOpen(url, ledger, problems)).toBe(0)
      expect(problems).toEqual([])
      await life.kill()
      expect(await examineRestart(data, ledger)).toEqual([])
    })
  })

  test('[DUR-5] says so at its start, and starts when there is room', async () => {
    await withSmallDisk(async (disk) => {
      const data = join(disk.folder, 'data')
      disk.fill()
      const { code, errors } = await (await startLife({ data })).ended
      expect([code, errors]).toEqual([1, expect.stringContaining('[data-unwritable]')])
      disk.free()
      expect(await examineRestart(data, createLedger())).toEqual([])
    })
  })
})
