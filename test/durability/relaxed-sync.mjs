// Loaded into a relay before its own code: SQLite stops waiting for the disk as soon as the relay has looked that it does.
// The relay itself has no such switch; the tests must see what it would cost.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(pathToFileURL(process.argv[1] ?? ''))
const Database = require('libsql')
const { exec } = Database.prototype
Database.prototype.exec = function (sql) {
  if (sql === 'BEGIN IMMEDIATE') exec.call(this, 'PRAGMA synchronous = NORMAL')
  return exec.call(this, sql)
}
