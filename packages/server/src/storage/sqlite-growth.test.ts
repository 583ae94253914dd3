import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { RelayStorage } from './port.js'
import { openSqliteStorage } from './sqlite-storage.js'
import { headOf } from './storage-contract.test-support.js'

const KIB = 1024
const MIB = 1024 * KIB
const ENTITIES = 8
const SNAPSHOT_BYTES = 64 * KIB

interface Growing {
  readonly storage: RelayStorage
  readonly path: string
  /** Writes entities over, one after the other. */
  overwrite(times: number): Promise<void>
  logBytes(): number
  databaseBytes(): number
}

function openGrowing(): Growing {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-growth-'))
  const path = join(directory, 'tidemark.db')
  const storage = openSqliteStorage({ directory })
  onTestFinished(async () => {
    await storage.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const head = headOf({ sequence: 1, snapshotBytes: SNAPSHOT_BYTES })
  return {
    storage,
    path,
    async overwrite(times) {
      for (let time = 0; time < times; time++) {
        const ref = { collection: 'cards', id: `card-${time % ENTITIES}` }
        await storage.transaction(async (tx) => {
          const sequence = await tx.takeSequence('team')
          await tx.putSnapshot('team', ref, new Uint8Array(SNAPSHOT_BYTES).fill(time))
          await tx.putEntityHead('team', ref, { ...head, sequence })
        })
      }
    },
    logBytes: () => statSync(`${path}-wal`).size,
    databaseBytes: () => statSync(path).size,
  }
}

describe('the files of a relay that is written to all the time', () => {
  it('stay in proportion to what they hold', async () => {
    const { overwrite, logBytes, databaseBytes } = openGrowing()
    await overwrite(600)
    expect(logBytes()).toBeLessThan(18 * MIB)
    expect(databaseBytes()).toBeLessThan(3 * ENTITIES * SNAPSHOT_BYTES)
  })

  it('shrink again once a reader has gone that kept the log from being emptied', async () => {
    const { storage, path, overwrite, logBytes } = openGrowing()
    await overwrite(1)
    const reader = new Database(path)
    onTestFinished(() => void reader.close())
    reader.exec('BEGIN')
    const count = reader.prepare('SELECT count(*) FROM entities').raw()
    expect(count.get()).toEqual([1])

    await overwrite(400)
    expect(logBytes()).toBeGreaterThan(24 * MIB)
    expect(count.get()).toEqual([1])
    expect(await storage.head('team')).toBe(401)

    reader.exec('COMMIT')
    await overwrite(20)
    expect(logBytes()).toBeLessThanOrEqual(20 * MIB)
  })
})
