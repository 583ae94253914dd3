import Database from 'libsql'
import type { SqliteDatabase } from '../storage/index.js'

/** Opens a copy that nobody else knows of. Its journal is in memory: after a crash the copy is thrown away. */
export function openForChange(path: string): SqliteDatabase {
  const database = new Database(path)
  database.exec('PRAGMA journal_mode = MEMORY')
  return database
}
