import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isTidemarkError } from '@tidemark/core'
import Database from 'libsql'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { EntityRef, RelayStorage } from './port.js'
import { textColumn } from './sqlite-rows.js'
import { SCHEMA } from './sqlite-schema.js'
import { openSqliteStorage } from './sqlite-storage.js'
import { bytes, headOf } from './storage-contract.test-support.js'

const SPACE = 'team'
const DAMAGED: EntityRef = { collection: 'cards', id: 'one' }
const SOUND: EntityRef = { collection: 'cards', id: 'two' }
const PLENTY = { maxEntities: 100, maxBytes: 1_000_000 }

/**
 * What a flipped bit can do no harm in: not noticed, on purpose.
 *
 * - The epoch: another one makes clients compare, and hand back what is missing.
 * - The key of an operation: sent again it is refused, and kept for a person; what it did is stored with its entities.
 * - The horizon of a space, and the number that `probe` counts.
 */
const UNNOTICED = ['meta.key', 'meta.value', 'spaces.horizon', 'operations.space', 'operations.id']

const LOWEST = [0] as const
const BITS = [0, 7] as const

const COLUMNS = [...SCHEMA.matchAll(/CREATE TABLE (\w+) \(([^;]*)\) STRICT/g)].flatMap(
  ([, table = '', body = '']) =>
    [...body.matchAll(/^ {2}(\w+) (?:TEXT|INTEGER|BLOB)/gm)].map(
      ([, column = '']) => [table, column] as const,
    ),
)

describe('a flipped bit in a stored row', () => {
  it('is tried in every column of every table', () => {
    expect(new Set(COLUMNS.map(([table]) => table)).size).toBe(
      SCHEMA.match(/CREATE TABLE/g)?.length,
    )
    expect(COLUMNS.length).toBeGreaterThan(30)
  })

  it.each(COLUMNS.filter((column) => !UNNOTICED.includes(column.join('.'))))(
    '[DUR-9] is noticed, and nothing else suffers by it: %s.%s',
    async (table, column) => {
      for (const bit of column === 'sequence' ? LOWEST : BITS) {
        const { storage, damage } = await openFilled()
        damage(table, column, bit)
        const { served, sound, noticed } = await lookAt(storage)
        expect([bit, noticed]).not.toEqual([bit, []])
        // An operation is not an entity. Without the space's sequence nobody knows where its readers are.
        if (table !== 'operations') expect(served).toBeUndefined()
        if (table !== 'spaces') expect(sound).toEqual([bytes(7)])
      }
    },
  )

  it.each(UNNOTICED.map((column) => column.split('.') as [string, string]))(
    '[DUR-9] harms no entity where it is not noticed: %s.%s',
    async (table, column) => {
      for (const bit of BITS) {
        const { storage, damage } = await openFilled()
        damage(table, column, bit)
        const { served, sound } = await lookAt(storage)
        expect(served).toEqual([bytes(1, 2), bytes(3, 4)])
        expect(sound).toEqual([bytes(7)])
        await storage.epoch()
      }
    },
  )

  it('[DUR-9] in the sequence of a space may skip some, and never gives one out again', async () => {
    const { storage, damage } = await openFilled()
    damage('spaces', 'sequence', 7)
    expect(await storage.transaction((tx) => tx.takeSequence(SPACE))).toBe(3 + 128 + 1)
    expect((await lookAt(storage)).sound).toEqual([bytes(7)])
  })

  it("[DUR-9] in one entity's sequence leaves the sequence of its space alone", async () => {
    const { storage, tamper } = await openFilled()
    tamper((database) => database.exec("UPDATE entities SET sequence = 1 << 40 WHERE id = 'one'"))
    expect(await storage.head(SPACE)).toBe(3)
    expect((await lookAt(storage)).sound).toEqual([bytes(7)])
  })
})

/** Two entities, one of them with a snapshot and an update, and their operations. */
async function openFilled(): Promise<{
  readonly storage: RelayStorage
  tamper(work: (database: Database.Database) => void): void
  /** In the row of the first entity. */
  damage(table: string, column: string, bit: 0 | 7): void
}> {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-damage-'))
  const storage = openSqliteStorage({ directory })
  onTestFinished(async () => {
    await storage.close()
    rmSync(directory, { recursive: true, force: true })
  })
  await storage.transaction(async (tx) => {
    const write = async (sequence: number): Promise<void> => {
      expect(await tx.takeSequence(SPACE)).toBe(sequence)
      const digest = bytes(sequence)
      const author = { user: 'ada', replica: 'replica-a', digest, acceptedAt: 5 }
      await tx.putOperation(SPACE, { id: `op-${sequence}`, sequence, ...author })
    }
    await write(1)
    await tx.putSnapshot(SPACE, DAMAGED, bytes(1, 2))
    await write(2)
    await tx.appendUpdate(SPACE, DAMAGED, 2, bytes(3, 4))
    const sizes = { snapshotBytes: 2, logBytes: 2, logLength: 1 }
    await tx.putEntityHead(SPACE, DAMAGED, headOf({ sequence: 2, tombstoneAt: 9, ...sizes }))
    await write(3)
    await tx.appendUpdate(SPACE, SOUND, 3, bytes(7))
    await tx.putEntityHead(SPACE, SOUND, headOf({ sequence: 3, logBytes: 1, logLength: 1 }))
  })

  function tamper(work: (database: Database.Database) => void): void {
    const database = new Database(join(directory, 'tidemark.db'))
    work(database)
    database.close()
  }

  return {
    storage,
    tamper,
    damage: (table, column, bit) =>
      tamper((database) => {
        const where = ROWS[table] ?? ''
        const text = isText(table, column)
        const [value] = database
          .prepare(`SELECT ${text ? textColumn(column) : column} FROM ${table} ${where}`)
          .raw()
          .get() as [unknown]
        const next = text ? 'CAST(? AS TEXT)' : '?'
        database.prepare(`UPDATE ${table} SET ${column} = ${next} ${where}`).run([flip(value, bit)])
      }),
  }
}

const ROWS: Readonly<Record<string, string>> = {
  meta: "WHERE key = 'epoch'",
  spaces: "WHERE space = 'team'",
  entities: "WHERE id = 'one'",
  snapshots: "WHERE id = 'one'",
  updates: "WHERE id = 'one'",
  operations: "WHERE id = 'op-2'",
}

/** The highest bit makes what is no longer UTF-8 of text. */
function flip(value: unknown, bit: 0 | 7): unknown {
  if (typeof value === 'number') return value ^ (1 << bit)
  const changed = Buffer.from(value as Uint8Array)
  changed[0] = (changed[0] ?? 0) ^ (1 << bit)
  return changed
}

function isText(table: string, column: string): boolean {
  const body = new RegExp(`CREATE TABLE ${table} \\(([^;]*)\\) STRICT`).exec(SCHEMA)?.[1] ?? ''
  return body.includes(`  ${column} TEXT`)
}

async function lookAt(storage: RelayStorage): Promise<{
  readonly served: readonly Uint8Array[] | undefined
  readonly sound: readonly Uint8Array[] | undefined
  readonly noticed: readonly unknown[]
}> {
  const noticed: unknown[] = []
  const attempt = async <T>(read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read()
    } catch (error) {
      if (!isTidemarkError(error) || error.code !== 'corrupt') throw error
      noticed.push(error)
      return undefined
    }
  }
  const page = await attempt(() => storage.entitiesSince(SPACE, 0, PLENTY))
  noticed.push(...(page?.corrupt ?? []))
  for (const sequence of [1, 2, 3]) {
    await attempt(() => storage.operations(SPACE, [`op-${sequence}`]))
    await attempt(() => storage.transaction((tx) => tx.operation(SPACE, `op-${sequence}`)))
  }
  await attempt(() => storage.transaction((tx) => tx.entityHead(SPACE, DAMAGED)))
  const logOf = ({ id }: EntityRef) => page?.entities.find(({ ref }) => ref.id === id)?.log
  return { served: logOf(DAMAGED), sound: logOf(SOUND), noticed }
}
