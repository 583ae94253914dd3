import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { EntityRef, RelayStorage } from './port.js'
import { openDatabase, readPragma, requireDurable, type SqliteDatabase } from './sqlite-database.js'
import { openSqliteStorage, openStorageWith } from './sqlite-storage.js'
import { bytes, describeStorageContract, headOf } from './storage-contract.test-support.js'

const CARD: EntityRef = { collection: 'cards', id: 'one' }
const PLENTY = { maxEntities: 100, maxBytes: 1_000_000 }

describeStorageContract('SQLite', async () => {
  const directory = makeDirectory()
  let storage = openSqliteStorage({ directory })
  return {
    storage,
    async reopen() {
      await storage.close()
      storage = openSqliteStorage({ directory })
      return storage
    },
    damage: (space, ref, what) => damage(directory, space, ref, what),
    dispose: () => storage.close(),
  }
})

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-storage-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function open(directory: string): RelayStorage {
  const storage = openSqliteStorage({ directory })
  onTestFinished(() => storage.close())
  return storage
}

/** Runs SQL beside the relay, as a damaged disk or a careless person would. */
function tamper(directory: string, work: (database: SqliteDatabase) => void): void {
  const database = new Database(join(directory, 'tidemark.db'))
  work(database)
  database.close()
}

function damage(
  directory: string,
  space: string,
  ref: EntityRef,
  table: 'snapshots' | 'snapshot' | 'updates',
): void {
  const name = table === 'snapshot' ? 'snapshots' : table
  tamper(directory, (database) => {
    const where = 'WHERE space = ? AND collection = ? AND id = ?'
    const key = [space, ref.collection, ref.id]
    const [stored] = database
      .prepare(`SELECT bytes FROM ${name} ${where}`)
      .raw()
      .get(...key) as [Buffer]
    stored[0] = (stored[0] ?? 0) ^ 1
    database.prepare(`UPDATE ${name} SET bytes = ? ${where}`).run(stored, ...key)
  })
}

async function writeCard(storage: RelayStorage, ref: EntityRef = CARD): Promise<void> {
  await storage.transaction(async (tx) => {
    const sequence = await tx.takeSequence('team')
    await tx.appendUpdate('team', ref, sequence, bytes(1, 2, 3))
    await tx.putEntityHead('team', ref, headOf({ sequence, logBytes: 3, logLength: 1 }))
    await tx.putOperation('team', {
      id: `op-${sequence}`,
      sequence,
      user: 'ada',
      replica: 'replica-a',
      digest: bytes(1, 2),
      acceptedAt: 5,
    })
  })
}

describe('opening the database', () => {
  it('[F1] runs with a write-ahead log and an fsync at each commit', () => {
    const database = openDatabase(join(makeDirectory(), 'tidemark.db'), () => 'epoch')
    onTestFinished(() => void database.close())
    expect(readPragma(database, 'journal_mode')).toBe('wal')
    expect(readPragma(database, 'synchronous')).toBe(2)
  })

  it.each([
    ['PRAGMA synchronous = NORMAL', 'synchronous=1'],
    ['PRAGMA synchronous = OFF', 'synchronous=0'],
    ['PRAGMA journal_mode = DELETE', 'journal_mode=delete'],
  ])('[F1] refuses durability after %s', (pragma, said) => {
    const database = openDatabase(join(makeDirectory(), 'tidemark.db'), () => 'epoch')
    onTestFinished(() => void database.close())
    database.exec(pragma)
    expect(() => requireDurable(database)).toThrow(said)
  })

  it('[F1] [DUR-6] does not start on a file system that has no write-ahead log', () => {
    // SQLite can't keep one in memory, and says so by leaving the journal mode as it was.
    expect(() => openDatabase(':memory:', () => 'epoch')).toThrow(
      expect.objectContaining({ code: 'not-durable' }),
    )
  })

  it('refuses a directory that another relay has, and takes it when that one is gone', async () => {
    const directory = makeDirectory()
    const first = openSqliteStorage({ directory })
    expect(() => openSqliteStorage({ directory })).toThrow(
      expect.objectContaining({ code: 'data-locked' }),
    )
    await first.close()
    await openSqliteStorage({ directory }).close()
  })

  it('refuses a database of another program and leaves it alone', () => {
    const directory = makeDirectory()
    tamper(directory, (database) =>
      database.exec('CREATE TABLE theirs (a); PRAGMA user_version = 7'),
    )
    expect(() => openSqliteStorage({ directory })).toThrow(
      expect.objectContaining({ code: 'data-foreign' }),
    )
    tamper(directory, (database) => {
      expect(readPragma(database, 'user_version')).toBe(7)
      expect(readPragma(database, 'journal_mode')).toBe('delete')
    })
  })

  it('refuses a file that is no database', () => {
    const directory = makeDirectory()
    writeFileSync(join(directory, 'tidemark.db'), 'not a database '.repeat(100))
    expect(() => openSqliteStorage({ directory })).toThrow(
      expect.objectContaining({ code: 'data-foreign' }),
    )
  })

  it('[WIRE-3] refuses a database that a newer relay wrote', async () => {
    const directory = makeDirectory()
    await openSqliteStorage({ directory }).close()
    tamper(directory, (database) => database.exec('PRAGMA user_version = 99'))
    expect(() => openSqliteStorage({ directory })).toThrow(
      expect.objectContaining({ code: 'data-newer' }),
    )
  })

  it('[WIRE-3] refuses a database whose data it can not read any more, and leaves it as it is', async () => {
    const directory = makeDirectory()
    await openSqliteStorage({ directory }).close()
    tamper(directory, (database) => database.exec('PRAGMA user_version = 1'))
    expect(() => openSqliteStorage({ directory })).toThrow(
      expect.objectContaining({ code: 'data-older' }),
    )
    tamper(directory, (database) => expect(readPragma(database, 'user_version')).toBe(1))
  })

  it('gives the directory free when opening fails', async () => {
    const directory = makeDirectory()
    writeFileSync(join(directory, 'tidemark.db'), 'not a database '.repeat(100))
    expect(() => openSqliteStorage({ directory })).toThrow()
    rmSync(join(directory, 'tidemark.db'))
    await openSqliteStorage({ directory }).close()
  })

  it('says so when the data directory can not be made', () => {
    const file = join(makeDirectory(), 'file')
    writeFileSync(file, '')
    expect(() => openSqliteStorage({ directory: join(file, 'data') })).toThrow(
      expect.objectContaining({ code: 'data-unwritable' }),
    )
  })

  it('says so when the database can not be opened', () => {
    const directory = makeDirectory()
    mkdirSync(join(directory, 'tidemark.db'))
    expect(() => openSqliteStorage({ directory })).toThrow(
      expect.objectContaining({ code: 'data-unwritable' }),
    )
  })
})

describe('a damaged database', () => {
  it.each(['clients', 'last_modified', 'version_sequence', 'log_bytes'])(
    '[DUR-9] leaves out an entity whose %s does not match its checksum',
    async (column) => {
      const directory = makeDirectory()
      const storage = open(directory)
      await writeCard(storage)
      await writeCard(storage, { ...CARD, id: 'two' })
      tamper(directory, (database) => {
        const changed = column === 'clients' ? "CAST('0000' AS BLOB)" : `${column} - 1`
        database.exec(`UPDATE entities SET ${column} = ${changed} WHERE id = 'one'`)
      })
      const page = await storage.entitiesSince('team', 0, PLENTY)
      expect(page.corrupt).toEqual([CARD])
      expect(page.entities.map(({ ref }) => ref.id)).toEqual(['two'])
      const read = storage.transaction((tx) => tx.entityHead('team', CARD))
      await expect(read).rejects.toMatchObject({ code: 'corrupt' })
    },
  )

  it('[DUR-9] notices an update that stands in the place of another', async () => {
    const directory = makeDirectory()
    const storage = open(directory)
    await writeCard(storage)
    tamper(directory, (database) => database.exec('UPDATE updates SET sequence = 2'))
    expect((await storage.entitiesSince('team', 0, PLENTY)).corrupt).toEqual([CARD])
  })

  it('[DUR-9] does not tell a fate from a damaged row', async () => {
    const directory = makeDirectory()
    const storage = open(directory)
    await writeCard(storage)
    tamper(directory, (database) => database.exec('UPDATE operations SET sequence = 2'))
    await expect(storage.operations('team', ['op-1'])).rejects.toMatchObject({ code: 'corrupt' })
  })
})

describe('a failing commit', () => {
  function openFailing(directory: string): { readonly storage: RelayStorage; fail: boolean } {
    const control = { storage: undefined as unknown as RelayStorage, fail: false }
    control.storage = openStorageWith(directory, (path, newEpoch) => {
      const database = openDatabase(path, newEpoch)
      const exec = database.exec.bind(database)
      database.exec = (sql) => {
        if (control.fail && sql === 'COMMIT') throw new Error('disk I/O error')
        return exec(sql)
      }
      return database
    })
    onTestFinished(() => control.storage.close())
    return control
  }

  it('[DUR-5] is an error of the storage and leaves nothing behind', async () => {
    const control = openFailing(makeDirectory())
    await writeCard(control.storage)
    control.fail = true
    await expect(writeCard(control.storage)).rejects.toMatchObject({ code: 'storage-failed' })
    expect(await control.storage.head('team')).toBe(1)
    expect(await control.storage.operations('team', ['op-2'])).toEqual([])
  })

  it('[DUR-5] does not keep the next transaction from working', async () => {
    const control = openFailing(makeDirectory())
    control.fail = true
    await expect(writeCard(control.storage)).rejects.toMatchObject({ code: 'storage-failed' })
    control.fail = false
    await writeCard(control.storage)
    expect(await control.storage.head('team')).toBe(1)
  })

  it('[DUR-5] comes to light when the log can not be put into the database any more', async () => {
    const control = { fail: false }
    const storage = openStorageWith(makeDirectory(), (path, newEpoch) => {
      const database = openDatabase(path, newEpoch)
      const exec = database.exec.bind(database)
      database.exec = (sql) => {
        if (control.fail && sql.includes('wal_checkpoint')) throw new Error('disk I/O error')
        return exec(sql)
      }
      return database
    })
    onTestFinished(() => storage.close())
    control.fail = true
    const probes = async (): Promise<void> => {
      for (let count = 0; count < 256; count++) await storage.transaction((tx) => tx.probe())
    }
    await expect(probes()).rejects.toMatchObject({ code: 'storage-failed' })
    control.fail = false
    await writeCard(storage)
    expect(await storage.head('team')).toBe(1)
  })
})
