import { isTidemarkError } from '@tidemark/core'
import type { SpaceSummary } from './database-scan.js'
import type { EntityHead, EntityRef, StoredOperation } from './port.js'
import type { SqliteDatabase } from './sqlite-database.js'
import {
  asText,
  decodeHead,
  decodeOperation,
  headValuesOf,
  OPERATION_VALUES,
  type Row,
  textColumn,
} from './sqlite-rows.js'

/** What is stored about an entity, without its bytes; or why it can't be read. */
export type EntityLine = { readonly ref: EntityRef } & (
  | { readonly head: EntityHead; readonly problem?: undefined }
  | { readonly problem: string }
)

export type OperationLine = { readonly space: string } & (
  | { readonly operation: StoredOperation; readonly problem?: undefined }
  | { readonly id: string; readonly problem: string }
)

/** A few rows of a large database at a time, for somebody who looks at them. All of it goes along an index. */
export interface DatabasePages {
  /** In the order of their names, from after one on; those whose id begins with a prefix in one collection. */
  entities(space: string, from: EntitiesFrom, limit: number): readonly EntityLine[]
  /** The last ones that something happened to, the latest first. */
  recentEntities(space: string, limit: number): readonly EntityLine[]
  /** The last ones that were accepted, the latest first; of one space those among the last `OPERATIONS_WITHIN` of all. */
  recentOperations(space: string | undefined, limit: number): readonly OperationLine[]
  /** How many entities each collection has; of a large space among the first `COUNTED_ENTITIES`. */
  collections(space: string): readonly { readonly collection: string; readonly entities: number }[]
  /** By name, from after one on. */
  spaces(after: string, limit: number): readonly SpaceSummary[]
}

export interface EntitiesFrom {
  readonly after?: EntityRef | undefined
  readonly collection?: string | undefined
  readonly prefix?: string | undefined
}

const OPERATIONS_WITHIN = 10_000
export const COUNTED_ENTITIES = 100_000

export function pageThrough(database: SqliteDatabase): DatabasePages {
  const query = (sql: string, ...values: readonly unknown[]): Row[] =>
    database
      .prepare(sql)
      .raw()
      .all(...values) as Row[]
  const columns = `${textColumn('collection')}, ${textColumn('id')}, ${headValuesOf('entities')}`

  return {
    entities(space, { after, collection, prefix = '' }, limit) {
      const place = [after?.collection ?? '', after?.id ?? '']
      const rows =
        collection === undefined
          ? query(
              `SELECT ${columns} FROM entities
               WHERE space = ? AND (collection, id) > (?, ?) ORDER BY collection, id LIMIT ?`,
              space,
              ...place,
              limit,
            )
          : query(
              `SELECT ${columns} FROM entities
               WHERE space = ? AND collection = ? AND id >= ? AND id < ? AND id > ? ORDER BY id LIMIT ?`,
              space,
              collection,
              prefix,
              // Ids are ASCII: nothing that begins with the prefix is greater.
              `${prefix}\u{10ffff}`,
              after?.id ?? '',
              limit,
            )
      return rows.map((row) => lineOf(space, row))
    },
    recentEntities: (space, limit) =>
      query(
        `SELECT ${columns} FROM entities WHERE space = ? ORDER BY sequence DESC LIMIT ?`,
        space,
        limit,
      ).map((row) => lineOf(space, row)),
    recentOperations(space, limit) {
      const recent = `SELECT ${textColumn('space')}, ${OPERATION_VALUES} FROM operations ORDER BY accepted_at DESC, sequence DESC`
      const rows =
        space === undefined
          ? query(`${recent} LIMIT ?`, limit)
          : query(
              `SELECT ${textColumn('space')}, ${OPERATION_VALUES} FROM
                 (SELECT * FROM operations ORDER BY accepted_at DESC, sequence DESC LIMIT ${OPERATIONS_WITHIN})
               WHERE space = ? LIMIT ?`,
              space,
              limit,
            )
      return rows.map(operationOf)
    },
    collections: (space) =>
      query(
        `SELECT ${textColumn('collection')}, count(*) FROM (SELECT collection FROM entities WHERE space = ? LIMIT ${COUNTED_ENTITIES})
         GROUP BY collection ORDER BY collection`,
        space,
      ).map(([collection, entities]) => ({
        collection: asText(collection),
        entities: Number(entities),
      })),
    spaces: (after, limit) =>
      query(
        `SELECT ${textColumn('space')}, sequence, horizon FROM spaces WHERE space > ? ORDER BY space LIMIT ?`,
        after,
        limit,
      ).map(([space, head, horizon]) => ({
        space: asText(space),
        head: Number(head),
        horizon: Number(horizon),
      })),
  }
}

function lineOf(space: string, row: Row): EntityLine {
  const ref = { collection: asText(row[0]), id: asText(row[1]) }
  try {
    return { ref, head: decodeHead(space, ref, row.slice(2)) }
  } catch (error) {
    return { ref, problem: problemOf(error) }
  }
}

function operationOf(row: Row): OperationLine {
  const space = asText(row[0])
  try {
    return { space, operation: decodeOperation(space, row.slice(1)) }
  } catch (error) {
    return { space, id: asText(row[1]), problem: problemOf(error) }
  }
}

function problemOf(error: unknown): string {
  if (isTidemarkError(error) && error.code === 'corrupt') return error.message
  throw error
}
