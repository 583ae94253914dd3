import { join } from 'node:path'
import { createRelayServer, openSqliteStorage } from '@tidemark/server'
import Database from 'libsql'
import type { Held, Ledger } from './ledger.js'
import { valueIn } from './operations.js'
import { connectToRelay, SPACE } from './relay-client.js'
import { finish } from './workload.js'

const EVERYTHING = { maxEntities: 100_000, maxBytes: 1_000_000_000 }

/**
 * Starts a relay on what another one left behind. Everything that was promised must be there, everything else can still
 * be sent, and then all of it is there; the database is whole.
 *
 * @returns what is wrong; empty when nothing is
 */
export async function examineRestart(data: string, ledger: Ledger): Promise<readonly string[]> {
  const relay = await createRelayServer({ data, port: 0 })
  const problems: string[] = []
  try {
    for (const when of ['after the restart', 'after sending the rest']) {
      const client = await connectToRelay(relay.url, ledger)
      const held = await client?.read()
      client?.close()
      if (held === undefined) throw new Error('the relay can not be read')
      problems.push(...ledger.compare(held).map((problem) => `${when}: ${problem}`))
      if (problems.length === 0) await finish(relay.url, ledger)
    }
  } finally {
    await relay.close()
  }
  return problems.concat(integrityOf(data))
}

/**
 * Opens the files of a data directory with the relay's own storage, without a relay.
 *
 * @returns what is wrong; empty when nothing is
 */
export async function examineFiles(data: string, ledger: Ledger): Promise<readonly string[]> {
  let problems: readonly string[]
  try {
    const storage = openSqliteStorage({ directory: data })
    try {
      const ids = ledger.sent.map(({ operation }) => operation.id)
      const { entities, corrupt } = await storage.entitiesSince(SPACE, 0, EVERYTHING)
      const held: Held = {
        head: await storage.head(SPACE),
        fates: await storage.operations(SPACE, ids),
        values: new Map(entities.map(({ ref, log }) => [ref.id, valueIn(log)])),
      }
      problems = [...ledger.compare(held), ...corrupt.map(({ id }) => `${id} is damaged`)]
    } finally {
      await storage.close()
    }
  } catch (error) {
    return [`it does not open: ${String(error)}`]
  }
  return problems.concat(integrityOf(data))
}

function integrityOf(data: string): readonly string[] {
  const database = new Database(join(data, 'tidemark.db'))
  try {
    const rows = database.prepare('PRAGMA integrity_check').raw().all() as [string][]
    return rows.map(([said]) => said).filter((said) => said !== 'ok')
  } catch (error) {
    return [`its integrity can not be checked: ${String(error)}`]
  } finally {
    database.close()
  }
}
