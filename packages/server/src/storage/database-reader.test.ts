import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openDatabaseReader } from './database-reader.js'
import { scanDatabase } from './database-scan.js'
import { openForMaintenance } from './maintenance-storage.js'
import { isSamePlace, placeOf } from './place.js'
import type { RelayStorage } from './port.js'
import { openSqliteStorage } from './sqlite-storage.js'

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark reader #1 ?-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function addOperations(storage: RelayStorage, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await storage.transaction(async (tx) => {
      const sequence = await tx.takeSequence('team')
      await tx.putOperation('team', {
        id: `op-${sequence}`,
        sequence,
        user: 'ada',
        replica: 'replica-a',
        digest: new Uint8Array(4_000),
        acceptedAt: 0,
      })
    })
  }
}

describe('a reader beside a relay', () => {
  it('sees one state, however much is written meanwhile', async () => {
    const directory = makeDirectory()
    const storage = openSqliteStorage({ directory })
    await addOperations(storage, 3)
    const reader = openDatabaseReader(directory)
    reader.exec('BEGIN')
    expect(scanDatabase(reader).count('operations')).toBe(3)
    await addOperations(storage, 2)
    expect(scanDatabase(reader).count('operations')).toBe(3)
    reader.close()
    await storage.close()
  })

  it('can not write, and leaves the files as they are', async () => {
    const directory = makeDirectory()
    const storage = openSqliteStorage({ directory })
    await addOperations(storage, 3)
    const bytes = readFileSync(join(directory, 'tidemark.db'))
    const reader = openDatabaseReader(directory)
    expect(() => reader.exec("INSERT INTO spaces (space, sequence) VALUES ('x', 1)")).toThrow(
      /readonly/,
    )
    expect(scanDatabase(reader).count('operations')).toBe(3)
    reader.close()
    expect(readFileSync(join(directory, 'tidemark.db'))).toEqual(bytes)
    expect(statSync(join(directory, 'tidemark.db-wal')).size).toBeGreaterThan(0)
    await storage.close()
  })

  it('[BAK-1] keeps no relay from stopping, and none from starting on a log that it still reads', async () => {
    const directory = makeDirectory()
    const first = openSqliteStorage({ directory })
    await addOperations(first, 3)
    const reader = openDatabaseReader(directory)
    reader.exec('BEGIN')
    expect(scanDatabase(reader).count('operations')).toBe(3)
    await addOperations(first, 2)
    await first.close()
    expect(readdirSync(directory)).toContain('tidemark.db-wal')
    const second = openSqliteStorage({ directory })
    await addOperations(second, 1)
    expect(await second.head('team')).toBe(6)
    expect(scanDatabase(reader).count('operations')).toBe(3)
    reader.close()
    await second.close()
  })

  it('[WIRE-3] refuses a database that it does not know, as does maintenance, and nothing is changed', async () => {
    const directory = makeDirectory()
    await openSqliteStorage({ directory }).close()
    const storage = openForMaintenance(directory)
    storage.database.exec('PRAGMA user_version = 999')
    storage.close()
    const bytes = readFileSync(join(directory, 'tidemark.db'))
    const newer = expect.objectContaining({ code: 'data-newer' })
    expect(() => openDatabaseReader(directory)).toThrow(newer)
    expect(() => openForMaintenance(directory)).toThrow(newer)
    expect(readFileSync(join(directory, 'tidemark.db'))).toEqual(bytes)
  })
})

describe('maintenance', () => {
  it('has the data for itself', async () => {
    const directory = makeDirectory()
    const relay = openSqliteStorage({ directory })
    const locked = expect.objectContaining({ code: 'data-locked' })
    expect(() => openForMaintenance(directory)).toThrow(locked)
    await relay.close()
    const storage = openForMaintenance(directory)
    expect(() => openSqliteStorage({ directory })).toThrow(locked)
    storage.close()
  })

  it('makes no database where there is none', () => {
    const directory = makeDirectory()
    expect(() => openForMaintenance(directory)).toThrow(
      expect.objectContaining({ code: 'data-missing' }),
    )
    expect(readdirSync(directory)).toEqual([])
  })
})

describe('[BAK-4] the place of a database', () => {
  it('is another one for another file, or one that was born at another time', () => {
    expect(isSamePlace('7/100', '7/100')).toBe(true)
    expect(isSamePlace('7/100', '8/100')).toBe(false)
    expect(isSamePlace('7/100', '7/101')).toBe(false)
  })

  it('is the same where the time of birth is not known', () => {
    expect(isSamePlace('7/0', '7/100')).toBe(true)
    expect(isSamePlace('7/100', '7/0')).toBe(true)
  })

  it('stays when the file is written to', async () => {
    const directory = makeDirectory()
    const path = join(directory, 'tidemark.db')
    const storage = openSqliteStorage({ directory })
    const before = placeOf(path)
    await addOperations(storage, 30)
    await storage.close()
    expect(isSamePlace(before, placeOf(path))).toBe(true)
  })
})
