import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'libsql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasStrace } from '../support/strace.js'
import { failing } from './faults.js'
import { leaveRemains, type Remains } from './kill-round.js'
import { startLife } from './relay-life.js'
import { inScratchFolder } from './scratch.js'

const DATABASE = 'tidemark.db'
const LOG = 'tidemark.db-wal'
const PAGE = 4096

describe('a relay', () => {
  let stopped: Remains
  let killed: Remains
  /** Another one like it. */
  let other: Remains

  beforeAll(async () => {
    stopped = await leaveRemains('stop')
    killed = await leaveRemains()
    other = await leaveRemains()
  })

  afterAll(() => {
    stopped.dispose()
    killed.dispose()
    other.dispose()
  })

  /** Starts on a copy of the remains after something has happened to them; what is there then must stay as it is. */
  async function refuses(
    remains: Remains,
    damage: (data: string) => void,
    code: string,
  ): Promise<void> {
    await inScratchFolder(async (folder) => {
      const data = join(folder, 'data')
      cpSync(remains.data, data, { recursive: true })
      damage(data)
      const before = contentsOf(data)
      const life = await startLife({ data })
      const { code: exit, errors } = await life.ended
      expect([exit, errors]).toEqual([
        1,
        expect.stringMatching(new RegExp(`^.* \\[${code}\\]\\n$`)),
      ])
      expect(contentsOf(data)).toEqual(before)
    })
  }

  test('[DUR-6] refuses a database whose log is gone', async () => {
    await refuses(killed, (data) => rmSync(join(data, LOG)), 'data-incomplete')
  })

  test('[DUR-6] refuses a log of another database', async () => {
    const exchange = (data: string): void => cpSync(join(other.data, LOG), join(data, LOG))
    await refuses(killed, exchange, 'data-incomplete')
  })

  test('[DUR-6] refuses a database that was cut short', async () => {
    const cutTo = (length: number) => (data: string) => truncateSync(join(data, DATABASE), length)
    await refuses(stopped, cutTo(PAGE), 'data-damaged')
    await refuses(stopped, cutTo(0), 'data-incomplete')
    await refuses(killed, cutTo(PAGE), 'data-incomplete')
    await refuses(killed, cutTo(0), 'data-incomplete')
  })

  test('[DUR-6] refuses to begin anew where its database is missing', async () => {
    for (const remains of [stopped, killed])
      await refuses(remains, (data) => rmSync(join(data, DATABASE)), 'data-incomplete')
  })

  test('[DUR-6] refuses a file with a header of garbage', async () => {
    const scrawl = (data: string): void => {
      const bytes = readFileSync(join(data, DATABASE))
      writeFileSync(join(data, DATABASE), bytes.fill(0xa5, 0, 100))
    }
    await refuses(stopped, scrawl, 'data-foreign')
  })

  test('[DUR-6] refuses a database of another program', async () => {
    const exchange = (data: string): void => {
      rmSync(data, { recursive: true })
      mkdirSync(data)
      const database = new Database(join(data, DATABASE))
      database.exec('CREATE TABLE theirs (a)')
      database.close()
    }
    await refuses(stopped, exchange, 'data-foreign')
  })

  test.runIf(hasStrace())('[DUR-6] refuses a database that it may only read', async () => {
    await inScratchFolder(async (folder) => {
      const data = join(folder, 'data')
      cpSync(stopped.data, data, { recursive: true })
      const before = readFileSync(join(data, DATABASE))
      const fault = { call: 'openat', files: [DATABASE], error: 'EROFS', when: '1..1' } as const
      const life = await startLife({ data, under: failing(data, fault, join(folder, 'log')) })
      const { code, errors } = await life.ended
      expect([code, errors]).toEqual([1, expect.stringMatching(/^.* \[data-unwritable\]\n$/)])
      expect(readFileSync(join(data, DATABASE)).equals(before)).toBe(true)
    })
  })
})

function contentsOf(data: string): (string | undefined)[] {
  return [DATABASE, LOG].map((name) => {
    const path = join(data, name)
    return existsSync(path) ? readFileSync(path, 'base64') : undefined
  })
}
