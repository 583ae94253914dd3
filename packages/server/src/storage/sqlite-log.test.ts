import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  hasAllPages,
  isLaterSalt,
  logPathOf,
  readLog,
  rewriteLog,
  saltOfLog,
} from './sqlite-log.js'

interface Files {
  readonly database: string
  readonly log: string
}

/** A database of three pages with a log that has a copy of some. */
function makeFiles(): Files {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-log-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'live.db')
  const live = new Database(path)
  onTestFinished(() => void live.close())
  live.exec('PRAGMA journal_mode = WAL')
  live.exec('CREATE TABLE one (a); CREATE TABLE two (a)')
  live.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  live.exec('INSERT INTO two VALUES (1)')
  live.exec('INSERT INTO two VALUES (2)')
  const database = join(folder, 'tidemark.db')
  const log = logPathOf(database)
  writeFileSync(database, readFileSync(path))
  writeFileSync(log, readFileSync(logPathOf(path)))
  return { database, log }
}

describe('a write-ahead log', () => {
  it('is read as SQLite reads it', () => {
    const { log } = makeFiles()
    expect(readLog(log)).toEqual({
      salt: saltOfLog(log),
      pages: 3,
      copied: new Set([3]),
      pageSize: 4096,
    })
  })

  it('holds nothing of what was not written whole', () => {
    const { log } = makeFiles()
    const size = 32 + 2 * (24 + 4096)
    truncateSync(log, size - 1)
    expect(readLog(log)?.copied).toEqual(new Set([3]))
    truncateSync(log, size - (24 + 4096) - 1)
    expect(readLog(log)).toMatchObject({ pages: undefined, copied: new Set() })
    truncateSync(log, 31)
    expect(readLog(log)).toBeUndefined()
    rmSync(log)
    expect(readLog(log)).toBeUndefined()
  })

  it('ends where a checksum does not fit', () => {
    const { log } = makeFiles()
    const bytes = readFileSync(log)
    bytes[100] = (bytes[100] ?? 0) ^ 1
    writeFileSync(log, bytes)
    expect(readLog(log)).toMatchObject({ pages: undefined })
    bytes[20] = (bytes[20] ?? 0) ^ 1
    writeFileSync(log, bytes)
    expect(readLog(log)).toBeUndefined()
  })

  it('tells whether its database was cut short', () => {
    const { database, log } = makeFiles()
    const content = readLog(log)
    if (content === undefined) throw new Error('no log')
    expect(hasAllPages(database, content)).toBe(true)
    truncateSync(database, 2 * 4096)
    expect(hasAllPages(database, content)).toBe(true)
    truncateSync(database, 2 * 4096 - 1)
    expect(hasAllPages(database, content)).toBe(false)
  })

  it('[L18] is written anew as it was', () => {
    const { log } = makeFiles()
    appendFileSync(log, Buffer.alloc(3 * 1024 * 1024 + 5, 7))
    const before = readFileSync(log)
    rewriteLog(log)
    expect(readFileSync(log).equals(before)).toBe(true)
    rmSync(log)
    rewriteLog(log)
    expect(readLog(log)).toBeUndefined()
  })

  it('is known by its salt, which counts up', () => {
    expect(isLaterSalt(7, 7)).toBe(true)
    expect(isLaterSalt(5, 0xffff_fffe)).toBe(true)
    expect(isLaterSalt(6, 7)).toBe(false)
    expect(isLaterSalt(0x8000_0000, 7)).toBe(false)
  })
})
