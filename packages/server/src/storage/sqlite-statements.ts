import { isTidemarkError } from '@tidemark/core'
import {
  checksum,
  type StoredRow,
  snapshotIdentity,
  updateIdentity,
  verifiedLog,
} from './checksum.js'
import type {
  EntityHead,
  EntityPage,
  EntityRef,
  PageLimits,
  RelayTransaction,
  StorageTotals,
  StoredEntity,
  StoredOperation,
} from './port.js'
import type { SqliteDatabase } from './sqlite-database.js'
import {
  decodeHead,
  decodeOperation,
  encodeHead,
  encodeOperation,
  HEAD_COLUMNS,
  OPERATION_COLUMNS,
  type Row,
  sequencedRow,
  storedRow,
} from './sqlite-rows.js'

/** Every statement that the relay runs, prepared once. */
export interface SqliteStatements {
  epoch(): string
  epochStartedAt(): number
  head(space: string): number
  horizon(space: string): number
  spacesWithTombstones(before: number): readonly string[]
  operations(space: string, ids: readonly string[]): readonly StoredOperation[]
  entitiesSince(space: string, since: number, limits: PageLimits): EntityPage
  totals(): StorageTotals
  readonly transaction: RelayTransaction
}

interface Query {
  get(...values: readonly unknown[]): Row | undefined
  all(...values: readonly unknown[]): Row[]
}

interface Command {
  run(...values: readonly unknown[]): void
}

export function createSqliteStatements(database: SqliteDatabase): SqliteStatements {
  const query = (sql: string): Query => {
    const statement = database.prepare(sql).raw()
    return {
      get: (...values) => statement.get(...values) as Row | undefined,
      all: (...values) => statement.all(...values) as Row[],
    }
  }
  const command = (sql: string): Command => {
    const statement = database.prepare(sql)
    return { run: (...values) => void statement.run(...values) }
  }
  const selectEpoch = query("SELECT value FROM meta WHERE key = 'epoch'")
  const selectEpochStart = query("SELECT value FROM meta WHERE key = 'epoch_started_at'")
  const probe = command(
    `INSERT INTO meta (key, value) VALUES ('probe', '1')
     ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)`,
  )
  const selectSequence = query('SELECT sequence FROM spaces WHERE space = ?')
  const takeSequence = query(
    `INSERT INTO spaces (space, sequence) VALUES (?, 1)
     ON CONFLICT (space) DO UPDATE SET sequence = sequence + 1 RETURNING sequence`,
  )
  const selectOperation = query(
    `SELECT ${OPERATION_COLUMNS} FROM operations WHERE space = ? AND id = ?`,
  )
  const insertOperation = command(
    `INSERT INTO operations (space, ${OPERATION_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const selectHead = query(
    `SELECT ${HEAD_COLUMNS} FROM entities WHERE space = ? AND collection = ? AND id = ?`,
  )
  const replaceHead = command(
    `REPLACE INTO entities (space, collection, id, ${HEAD_COLUMNS})
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const countEntities = query('SELECT count(*) FROM entities WHERE space = ?')
  const countAll = query('SELECT (SELECT count(*) FROM spaces), (SELECT count(*) FROM entities)')
  const selectSnapshot = query(
    'SELECT bytes, checksum FROM snapshots WHERE space = ? AND collection = ? AND id = ?',
  )
  const replaceSnapshot = command(
    'REPLACE INTO snapshots (space, collection, id, bytes, checksum) VALUES (?, ?, ?, ?, ?)',
  )
  const selectUpdates = query(
    `SELECT sequence, bytes, checksum FROM updates
     WHERE space = ? AND collection = ? AND id = ? ORDER BY sequence`,
  )
  const insertUpdate = command(
    'INSERT INTO updates (space, collection, id, sequence, bytes, checksum) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const deleteUpdates = command('DELETE FROM updates WHERE space = ? AND collection = ? AND id = ?')
  const deleteSnapshot = command(
    'DELETE FROM snapshots WHERE space = ? AND collection = ? AND id = ?',
  )
  const deleteHead = command('DELETE FROM entities WHERE space = ? AND collection = ? AND id = ?')
  const selectHorizon = query('SELECT horizon FROM spaces WHERE space = ?')
  const updateHorizon = command('UPDATE spaces SET horizon = max(horizon, ?) WHERE space = ?')
  const selectTombstoneSpaces = query(
    'SELECT DISTINCT space FROM entities WHERE tombstone_at IS NOT NULL AND tombstone_at < ?',
  )
  const selectTombstones = query(
    `SELECT collection, id, sequence, tombstone_at FROM entities
     WHERE space = ? AND tombstone_at IS NOT NULL ORDER BY sequence LIMIT ?`,
  )
  const deleteOperations = query(
    `DELETE FROM operations WHERE (space, id) IN
     (SELECT space, id FROM operations WHERE accepted_at < ? LIMIT ?) RETURNING 1`,
  )
  const selectSince = query(
    `SELECT collection, id, sequence, ${HEAD_COLUMNS} FROM entities
     WHERE space = ? AND sequence > ? ORDER BY sequence, collection, id LIMIT ?`,
  )
  const selectRestOf = query(
    `SELECT collection, id, sequence, ${HEAD_COLUMNS} FROM entities
     WHERE space = ? AND sequence = ? AND (collection, id) > (?, ?) ORDER BY collection, id`,
  )

  const head = (space: string): number => Number(selectSequence.get(space)?.[0] ?? 0)

  function readLog(space: string, ref: EntityRef, known: EntityHead): readonly Uint8Array[] {
    const key = [space, ref.collection, ref.id]
    const found = selectSnapshot.get(...key)
    const snapshot: StoredRow | undefined = found === undefined ? undefined : storedRow(found)
    return verifiedLog(space, ref, known, snapshot, selectUpdates.all(...key).map(sequencedRow))
  }

  /** Rows of one sequence are never split. */
  function rowsSince(space: string, since: number, maxEntities: number): Row[] {
    const rows = selectSince.all(space, since, maxEntities)
    const last = rows.length < maxEntities ? undefined : rows.at(-1)
    return last === undefined
      ? rows
      : rows.concat(selectRestOf.all(space, last[2], last[0], last[1]))
  }

  function entitiesSince(space: string, since: number, limits: PageLimits): EntityPage {
    const entities: StoredEntity[] = []
    const corrupt: EntityRef[] = []
    let through = since
    let bytes = 0
    const rows = rowsSince(space, since, limits.maxEntities)
    for (const row of rows) {
      const sequence = Number(row[2])
      if (bytes >= limits.maxBytes && sequence !== through) {
        return { entities, corrupt, through, complete: false }
      }
      through = sequence
      const ref = { collection: String(row[0]), id: String(row[1]) }
      try {
        const known = decodeHead(space, ref, row.slice(3))
        bytes += known.snapshotBytes + known.logBytes
        entities.push({ ref, head: known, log: readLog(space, ref, known) })
      } catch (error) {
        if (!isTidemarkError(error) || error.code !== 'corrupt') throw error
        corrupt.push(ref)
      }
    }
    if (rows.length >= limits.maxEntities) return { entities, corrupt, through, complete: false }
    return { entities, corrupt, through: head(space), complete: true }
  }

  return {
    epoch: () => String(selectEpoch.get()?.[0]),
    epochStartedAt: () => Number(selectEpochStart.get()?.[0] ?? 0),
    head,
    horizon: (space) => Number(selectHorizon.get(space)?.[0] ?? 0),
    spacesWithTombstones: (before) =>
      selectTombstoneSpaces.all(before).map(([space]) => String(space)),
    operations: (space, ids) =>
      ids.flatMap((id) => {
        const row = selectOperation.get(space, id)
        return row === undefined ? [] : decodeOperation(space, row)
      }),
    entitiesSince,
    totals() {
      const row = countAll.get()
      return { spaces: Number(row?.[0]), entities: Number(row?.[1]) }
    },
    transaction: {
      async operation(space, id) {
        const row = selectOperation.get(space, id)
        return row === undefined ? undefined : decodeOperation(space, row)
      },
      async putOperation(space, operation) {
        insertOperation.run(...encodeOperation(space, operation))
      },
      async takeSequence(space) {
        return Number(takeSequence.get(space)?.[0])
      },
      async entityHead(space, ref) {
        const row = selectHead.get(space, ref.collection, ref.id)
        return row === undefined ? undefined : decodeHead(space, ref, row)
      },
      async putEntityHead(space, ref, known) {
        replaceHead.run(space, ref.collection, ref.id, ...encodeHead(space, ref, known))
      },
      async entityLog(space, ref, known) {
        return readLog(space, ref, known)
      },
      async appendUpdate(space, ref, sequence, bytes) {
        const check = checksum(updateIdentity(space, ref, sequence), bytes)
        insertUpdate.run(space, ref.collection, ref.id, sequence, bytes, check)
      },
      async putSnapshot(space, ref, bytes) {
        const check = checksum(snapshotIdentity(space, ref), bytes)
        replaceSnapshot.run(space, ref.collection, ref.id, bytes, check)
        deleteUpdates.run(space, ref.collection, ref.id)
      },
      async entityCount(space) {
        return Number(countEntities.get(space)?.[0])
      },
      async deleteEntity(space, { collection, id }) {
        for (const remove of [deleteUpdates, deleteSnapshot, deleteHead])
          remove.run(space, collection, id)
      },
      async tombstones(space, limit) {
        return selectTombstones.all(space, limit).map(([collection, id, sequence, at]) => ({
          ref: { collection: String(collection), id: String(id) },
          sequence: Number(sequence),
          at: Number(at),
        }))
      },
      async setHorizon(space, sequence) {
        updateHorizon.run(sequence, space)
      },
      async pruneOperations(before, limit) {
        return deleteOperations.all(before, limit).length
      },
      async probe() {
        probe.run()
      },
    },
  }
}
