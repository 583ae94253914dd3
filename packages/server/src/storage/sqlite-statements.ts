import { isTidemarkError } from '@tidemark/core'
import {
  checksum,
  corrupt,
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
import { codeOf, type SqliteDatabase } from './sqlite-database.js'
import {
  asText,
  decodeHead,
  decodeOperation,
  encodeHead,
  encodeOperation,
  HEAD_COLUMNS,
  headValuesOf,
  OPERATION_COLUMNS,
  OPERATION_VALUES,
  type Row,
  sequencedRow,
  storedRow,
  textColumn,
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
  /** Before a transaction. */
  begin(): void
  /** At the end of a transaction, before its commit. */
  settle(): void
  /** Writes something that means nothing. */
  probe(): void
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
      get: (...values) => unlessDamaged(() => statement.get(...values) as Row | undefined),
      all: (...values) => unlessDamaged(() => statement.all(...values) as Row[]),
    }
  }
  const command = (sql: string): Command => {
    const statement = database.prepare(sql)
    return { run: (...values) => void statement.run(...values) }
  }
  const selectEpoch = query(`SELECT ${textColumn('value')} FROM meta WHERE key = 'epoch'`)
  const selectEpochStart = query(
    `SELECT ${textColumn('value')} FROM meta WHERE key = 'epoch_started_at'`,
  )
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
    `SELECT ${OPERATION_VALUES} FROM operations WHERE space = ? AND id = ?`,
  )
  const insertOperation = command(
    `INSERT INTO operations (space, ${OPERATION_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const selectHead = query(
    `SELECT ${headValuesOf('entities')} FROM entities WHERE space = ? AND collection = ? AND id = ?`,
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
    `SELECT DISTINCT ${textColumn('space')} FROM entities
     WHERE tombstone_at IS NOT NULL AND tombstone_at < ?`,
  )
  const selectTombstones = query(
    `SELECT ${textColumn('collection')}, ${textColumn('id')}, sequence, tombstone_at FROM entities
     WHERE space = ? AND tombstone_at IS NOT NULL ORDER BY sequence LIMIT ?`,
  )
  const deleteOperations = query(
    `DELETE FROM operations WHERE (space, id) IN
     (SELECT space, id FROM operations WHERE accepted_at < ? LIMIT ?) RETURNING 1`,
  )
  // Joined with itself: SQLite passes over an entry of an index whose row isn't there, and here it has to be noticed.
  const selectFromIndex = `SELECT ${textColumn('entry.collection')}, ${textColumn('entry.id')}, entry.sequence, ${headValuesOf('row')}
     FROM entities AS entry INDEXED BY entities_by_sequence LEFT JOIN entities AS row
     ON row.space = entry.space AND row.collection = entry.collection AND row.id = entry.id`
  const selectSince = query(
    `${selectFromIndex} WHERE entry.space = ? AND entry.sequence > ?
     ORDER BY entry.sequence, entry.collection, entry.id LIMIT ?`,
  )
  const selectRestOf = query(
    `${selectFromIndex} WHERE entry.space = ? AND entry.sequence = ? AND (entry.collection, entry.id) > (?, ?)
     ORDER BY entry.collection, entry.id`,
  )

  const putSequence = command('UPDATE spaces SET sequence = ? WHERE space = ?')
  /** By space, the last sequence that the running transaction took: its row is written when the first one is taken, and at the end. */
  const taken = new Map<string, { sequence: number; isWritten: boolean }>()

  /** Spaces whose rows the running transaction has looked at. */
  const looked = new Set<string>()

  const selectLastSequence = query(
    'SELECT sequence FROM entities WHERE space = ? ORDER BY sequence DESC LIMIT 1',
  )
  const selectOrphan = query(
    `SELECT 1 FROM updates WHERE space = ? AND collection = ? AND id = ?
     UNION ALL SELECT 1 FROM snapshots WHERE space = ? AND collection = ? AND id = ? LIMIT 1`,
  )

  /**
   * A space's row has no bytes to sum up. It is damaged when it is behind what a sound entity says: sequences would be
   * given out again. One that is too far ahead does no harm.
   */
  function head(space: string): number {
    const sequence = Number(selectSequence.get(space)?.[0] ?? 0)
    const last = Number(selectLastSequence.get(space)?.[0] ?? 0)
    if (Number.isSafeInteger(sequence) && last <= sequence) return sequence
    const isBehind = selectSince.all(space, sequence, -1).some((row) => isSound(space, row))
    if (!isBehind && Number.isSafeInteger(sequence)) return sequence
    throw corrupt(`the sequence of ${space}`, `say ${sequence}`)
  }

  function isSound(space: string, row: Row): boolean {
    try {
      decodeHead(space, { collection: asText(row[0]), id: asText(row[1]) }, row.slice(3))
      return true
    } catch {
      return false
    }
  }

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
      : rows.concat(selectRestOf.all(space, last[2], asText(last[0]), asText(last[1])))
  }

  function entitiesSince(space: string, since: number, limits: PageLimits): EntityPage {
    const entities: StoredEntity[] = []
    const damaged: EntityRef[] = []
    let through = since
    let bytes = 0
    const rows = rowsSince(space, since, limits.maxEntities)
    for (const row of rows) {
      const sequence = Number(row[2])
      if (bytes >= limits.maxBytes && sequence !== through) {
        return { entities, corrupt: damaged, through, complete: false }
      }
      through = sequence
      const ref = { collection: asText(row[0]), id: asText(row[1]) }
      try {
        const known = decodeHead(space, ref, row.slice(3))
        if (known.sequence !== sequence)
          throw corrupt(`place of ${ref.id}`, 'are in the place of another sequence')
        bytes += known.snapshotBytes + known.logBytes
        entities.push({ ref, head: known, log: readLog(space, ref, known) })
      } catch (error) {
        if (!isTidemarkError(error) || error.code !== 'corrupt') throw error
        damaged.push(ref)
      }
    }
    if (rows.length >= limits.maxEntities)
      return { entities, corrupt: damaged, through, complete: false }
    return { entities, corrupt: damaged, through: head(space), complete: true }
  }

  return {
    epoch: () => asText(selectEpoch.get()?.[0]),
    epochStartedAt: () => Number(asText(selectEpochStart.get()?.[0])),
    head,
    horizon: (space) => Number(selectHorizon.get(space)?.[0] ?? 0),
    spacesWithTombstones: (before) =>
      selectTombstoneSpaces.all(before).map(([space]) => asText(space)),
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
    begin() {
      taken.clear()
      looked.clear()
    },
    settle() {
      for (const [space, { sequence, isWritten }] of taken)
        if (!isWritten) putSequence.run(sequence, space)
    },
    probe: () => probe.run(),
    transaction: {
      async operation(space, id) {
        // The first look at a space in which something is about to be written.
        if (!looked.has(space)) head(space)
        looked.add(space)
        const row = selectOperation.get(space, id)
        return row === undefined ? undefined : decodeOperation(space, row)
      },
      async putOperation(space, operation) {
        insertOperation.run(...encodeOperation(space, operation))
      },
      async takeSequence(space) {
        const last = taken.get(space)
        if (last !== undefined) {
          last.isWritten = false
          last.sequence += 1
          return last.sequence
        }
        const sequence = Number(takeSequence.get(space)?.[0])
        taken.set(space, { sequence, isWritten: true })
        return sequence
      },
      async entityHead(space, ref) {
        const key = [space, ref.collection, ref.id]
        const row = selectHead.get(...key)
        if (row !== undefined) return decodeHead(space, ref, row)
        if (selectOrphan.get(...key, ...key) === undefined) return undefined
        throw corrupt(`head of ${key.join('/')}`, 'are missing')
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
          ref: { collection: asText(collection), id: asText(id) },
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

/** A page that SQLite can't make sense of concerns who needs it, not everybody. */
function unlessDamaged<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (codeOf(error)?.startsWith('SQLITE_CORRUPT') === true)
      throw corrupt('a page of the database', "can't be read")
    throw error
  }
}
