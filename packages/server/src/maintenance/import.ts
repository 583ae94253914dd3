import { createHash } from 'node:crypto'
import { mergeUpdates, SPACE_NAME } from '@tidemark/core/entity'
import { DEFAULT_LIMITS } from '../relay/limits.js'
import {
  type DatabaseScan,
  type MaintenanceStorage,
  openForMaintenance,
  scanDatabase,
} from '../storage/index.js'
import { MaintenanceError } from './errors.js'
import { type ExportedEntity, fingerprint, parseExportLine } from './export-format.js'
import { problemOfImport } from './import-checks.js'
import { readLines } from './read-lines.js'

export interface ImportOptions {
  /** The data directory; its relay must not run. */
  readonly data: string
  /** What `export --format update` wrote. */
  readonly file: string
  /** Where to; default: the space that it was exported from. */
  readonly space?: string | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly onProgress?: (done: number, total: number) => void
}

export interface Import {
  readonly space: string
  readonly imported: number
  /** Entities that were there already, just as in the export. */
  readonly unchanged: number
  /** Entities that are there, but differ; they stay as they are. The first thousand of them. */
  readonly kept: readonly string[]
  readonly keptCount: number
}

/** Base64 takes a third more than the bytes; names and client ids come on top. */
const MAX_LINE_BYTES = 2 * DEFAULT_LIMITS.maxEntityBytes
/** Entities that one commit takes. */
const BATCH = 256
const MAX_LISTED = 1_000

/**
 * Adds the entities of an export to a space. The file is read to its end and checked first, so that one that is cut or
 * damaged changes nothing. Each entity gets in as a whole and gets a sequence of its own; one that is there already is
 * left alone. So an import that was interrupted is finished by running it again.
 *
 * @throws MaintenanceError `export-invalid`, `name-invalid`
 * @throws RelayStartError `data-missing`, `data-locked`
 */
export async function importSpace(options: ImportOptions): Promise<Import> {
  const { space, entities } = checkFile(options)
  const storage = openForMaintenance(options.data)
  try {
    return await writeEntities(storage, space, entities, options)
  } finally {
    storage.close()
  }
}

async function writeEntities(
  storage: MaintenanceStorage,
  space: string,
  total: number,
  options: ImportOptions,
): Promise<Import> {
  const result = { space, imported: 0, unchanged: 0, kept: [] as string[], keptCount: 0 }
  const scan = scanDatabase(storage.database)
  let done = 0
  let batch: ExportedEntity[] = []

  async function commit(): Promise<void> {
    const outcomes = await storage.transaction(async () => {
      const all: Outcome[] = []
      for (const entity of batch) all.push(await writeEntity(storage, scan, space, entity))
      return all
    })
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome !== 'kept') result[outcome] += 1
      else {
        const { collection, id } = batch[index]?.ref ?? { collection: '', id: '' }
        result.keptCount += 1
        if (result.kept.length < MAX_LISTED) result.kept.push(`${space}/${collection}/${id}`)
      }
    }
    done += batch.length
    batch = []
    options.onProgress?.(done, total)
  }

  for (const text of readLines(options.file, MAX_LINE_BYTES)) {
    const part = parseExportLine(text)
    if (part.kind === 'entity') batch.push(part.entity)
    if (batch.length >= BATCH) await commit()
  }
  await commit()
  return result
}

type Outcome = 'imported' | 'unchanged' | 'kept'

async function writeEntity(
  { statements: { transaction: tx } }: MaintenanceStorage,
  scan: DatabaseScan,
  space: string,
  { ref, head, update }: ExportedEntity,
): Promise<Outcome> {
  const known = scan.entity(space, ref)
  if (known !== undefined) {
    if (known.problem !== undefined) return 'kept'
    const isSame =
      known.head.versionSequence === head.versionSequence &&
      known.head.lastModified === head.lastModified &&
      fingerprint(mergeUpdates(known.log), known.head.generation) ===
        fingerprint(update, head.generation)
    return isSame ? 'unchanged' : 'kept'
  }
  const sequence = await tx.takeSequence(space)
  await tx.putSnapshot(space, ref, update)
  const sizes = { snapshotBytes: update.length, logBytes: 0, logLength: 0 }
  await tx.putEntityHead(space, ref, { ...head, sequence, ...sizes })
  return 'imported'
}

/** @throws MaintenanceError unless every line can be imported, and all lines are there */
function checkFile({ file, space, now }: ImportOptions): {
  readonly space: string
  readonly entities: number
} {
  const hash = createHash('sha256')
  const seen = new Set<string>()
  let from: string | undefined
  let entities: number | undefined
  let number = 0
  try {
    for (const text of readLines(file, MAX_LINE_BYTES)) {
      number += 1
      if (entities !== undefined) throw new Error('There is something after its end.')
      const part = parseExportLine(text)
      if ((part.kind === 'header') !== (number === 1))
        throw new Error('The header is not the first line.')
      switch (part.kind) {
        case 'header':
          from = part.about.space
          break
        case 'entity': {
          const { collection, id } = part.entity.ref
          const problem = problemOfImport(part.entity, DEFAULT_LIMITS, now())
          if (problem !== undefined) throw new Error(`${collection}/${id}: ${problem}`)
          if (seen.has(`${collection}/${id}`))
            throw new Error(`${collection}/${id} is in it twice.`)
          seen.add(`${collection}/${id}`)
          break
        }
        case 'footer':
          if (part.entities !== seen.size || part.sha256 !== hash.digest('hex'))
            throw new Error('The lines before are not those that were written.')
          entities = part.entities
      }
      if (entities === undefined) hash.update(text)
    }
    if (from === undefined || entities === undefined) throw new Error('Its end is missing.')
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new MaintenanceError(
      'export-invalid',
      `${file} can't be imported (line ${number}): ${why} Nothing was changed. Export again with --format update.`,
      { cause },
    )
  }
  const name = space ?? from
  if (!SPACE_NAME.test(name))
    throw new MaintenanceError('name-invalid', `"${name}" is no name of a space.`)
  return { space: name, entities }
}
