import { createHash } from 'node:crypto'
import { SPACE_NAME } from '@tidemark/core/entity'
import {
  closeReader,
  openDatabaseReader,
  readMeta,
  type SpaceSummary,
  type SqliteDatabase,
  scanDatabase,
} from '../storage/index.js'
import { MaintenanceError } from './errors.js'
import { exportFooter, exportHeader, exportLine } from './export-format.js'
import { unknownSpace } from './inspect.js'
import { plainEntity } from './plain-entity.js'

export type ExportFormat = 'json' | 'jsonl' | 'update'

export interface ExportOptions {
  /** The data directory; its relay may be running. */
  readonly data: string
  readonly space: string
  readonly format: ExportFormat
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Resolves when more may be written: what is exported is never all in memory. */
  readonly write: (text: string) => Promise<void>
}

export interface Export {
  readonly entities: number
  /** Entities that could not be read, and why; they are left out. */
  readonly damaged: readonly { readonly what: string; readonly problem: string }[]
}

/**
 * Writes every entity of a space as it is after one commit: `json` one document, `jsonl` a line each, `update` lines
 * that `import` reads, with everything that there is to an entity.
 *
 * @throws MaintenanceError `space-unknown`, `name-invalid`
 * @throws RelayStartError why the database can't be read
 */
export async function exportSpace(options: ExportOptions): Promise<Export> {
  if (!SPACE_NAME.test(options.space)) {
    throw new MaintenanceError('name-invalid', `"${options.space}" is no name of a space.`)
  }
  const database = openDatabaseReader(options.data)
  try {
    database.exec('BEGIN')
    return await writeSpace(database, options)
  } finally {
    closeReader(database)
  }
}

async function writeSpace(database: SqliteDatabase, options: ExportOptions): Promise<Export> {
  const { format, write } = options
  const space = findSpace(database, options.space)
  const about = {
    space: space.space,
    epoch: readMeta(database, 'epoch') ?? '',
    head: space.head,
    takenAt: new Date(options.now()).toISOString(),
  }
  const hash = createHash('sha256')
  const writeHashed = (text: string): Promise<void> => {
    hash.update(text)
    return write(text)
  }
  const damaged: { what: string; problem: string }[] = []
  let entities = 0
  if (format === 'json') await write(`${JSON.stringify(about).slice(0, -1)},"entities":[`)
  if (format === 'update') await writeHashed(exportHeader(about))
  for (const entity of scanDatabase(database).entities(space.space)) {
    try {
      if (entity.problem !== undefined) throw new Error(entity.problem)
      const { ref, head, log } = entity
      if (format === 'update') await writeHashed(exportLine(ref, head, log))
      else {
        const text = JSON.stringify(plainEntity(ref, head, log))
        await write(format === 'jsonl' ? `${text}\n` : `${entities === 0 ? '\n' : ',\n'}${text}`)
      }
      entities += 1
    } catch (error) {
      const { collection, id } = entity.ref
      damaged.push({ what: `${space.space}/${collection}/${id}`, problem: messageOf(error) })
    }
  }
  if (format === 'json') await write('\n]}\n')
  if (format === 'update') await write(exportFooter(entities, hash.digest('hex')))
  return { entities, damaged }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function findSpace(database: SqliteDatabase, name: string): SpaceSummary {
  const space = scanDatabase(database).space(name)
  if (space === undefined) throw unknownSpace(name)
  return space
}
