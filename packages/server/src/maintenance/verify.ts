import { isTidemarkError } from '@tidemark/core'
import { decodeContent, mergeUpdates } from '@tidemark/core/entity'
import { type ScannedEntity, type SqliteDatabase, scanDatabase } from '../storage/index.js'

export interface Damage {
  /** `<space>/<collection>/<id>`, an operation, or the database file as a whole. */
  readonly what: string
  readonly problem: string
}

export interface Verification {
  readonly entities: number
  readonly operations: number
  /** Empty when everything can be read as it was written. */
  readonly damage: readonly Damage[]
}

/** Of a database with many damaged rows the first ones tell enough. */
const MAX_DAMAGE = 1_000

/**
 * Reads everything: SQLite's own structure, the checksum of every row, that each entity has as many bytes as its head
 * says and that they are a document.
 */
export function verifyDatabase(
  database: SqliteDatabase,
  onProgress: (done: number, total: number) => void = () => {},
): Verification {
  const damage: Damage[] = []
  const note = (what: string, problem: string): void => {
    if (damage.length < MAX_DAMAGE) damage.push({ what, problem })
  }
  for (const [finding] of database.prepare('PRAGMA integrity_check(100)').raw().all() as string[][])
    if (finding !== undefined && finding !== 'ok') note('the database file', finding)
  const scan = scanDatabase(database)
  const total = scan.count('entities') + scan.count('operations')
  let entities = 0
  let operations = 0
  for (const { space } of scan.spaces()) {
    for (const entity of scan.entities(space)) {
      entities += 1
      onProgress(entities, total)
      const problem = problemOf(entity)
      if (problem !== undefined) note(`${space}/${entity.ref.collection}/${entity.ref.id}`, problem)
    }
  }
  if (entities < scan.count('entities')) note('the database file', 'entities without a space')
  const damaged = scan.damagedOperations(() => {
    operations += 1
    onProgress(entities + operations, total)
  })
  for (const { space, id, problem } of damaged) note(`operation ${space}/${id}`, problem)
  for (const { space, ref } of scan.strayBytes())
    note(`${space}/${ref.collection}/${ref.id}`, 'There are bytes of it, and no entity.')
  return { entities, operations, damage }
}

/** Why an entity can't be served; undefined when it can. */
function problemOf(entity: ScannedEntity): string | undefined {
  if (entity.problem !== undefined) return entity.problem
  try {
    decodeContent(mergeUpdates(entity.log))
    return undefined
  } catch (error) {
    if (isTidemarkError(error)) return error.message
    throw error
  }
}
