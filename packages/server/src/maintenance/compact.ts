import { compactUpdate, mergeUpdates } from '@tidemark/core/entity'
import { type MaintenanceStorage, openForMaintenance, scanDatabase } from '../storage/index.js'
import { bytesOf } from './manifest.js'
import { shrinkFile } from './shrink-file.js'

export interface CompactOptions {
  /** The data directory; its relay must not run. */
  readonly data: string
  readonly onProgress?: (done: number, total: number) => void
}

export interface Compaction {
  readonly entities: number
  /** Entities whose updates were put together into one snapshot. */
  readonly compacted: number
  /** Entities that can't be read; they stay as they are. */
  readonly damaged: readonly string[]
  readonly bytesBefore: number
  readonly bytesAfter: number
}

/**
 * Puts the updates of every entity together, and gives free what the file doesn't use. Changes no value, no version and
 * no sequence: clients notice nothing.
 *
 * @throws MaintenanceError `disk-full`
 * @throws RelayStartError `data-missing`, `data-locked`
 */
export async function compactData(options: CompactOptions): Promise<Compaction> {
  const storage = openForMaintenance(options.data)
  try {
    const bytesBefore = bytesOf(storage.path)
    const counted = await compactEntities(storage, options)
    shrinkFile(storage)
    return { ...counted, bytesBefore, bytesAfter: bytesOf(storage.path) }
  } finally {
    storage.close()
  }
}

/** Entities that one commit takes. */
const BATCH = 256

async function compactEntities(
  storage: MaintenanceStorage,
  { onProgress }: CompactOptions,
): Promise<Omit<Compaction, 'bytesBefore' | 'bytesAfter'>> {
  const { transaction: tx } = storage.statements
  const scan = scanDatabase(storage.database)
  const total = scan.count('entities')
  const damaged: string[] = []
  let entities = 0
  let compacted = 0
  for (const { space } of scan.spaces()) {
    const scanned = scan.entities(space)
    for (let isAll = false; !isAll; ) {
      await storage.transaction(async () => {
        for (let count = 0; count < BATCH; count++) {
          const { value: entity, done } = scanned.next()
          if (done === true) {
            isAll = true
            return
          }
          entities += 1
          onProgress?.(entities, total)
          const name = `${space}/${entity.ref.collection}/${entity.ref.id}`
          if (entity.problem !== undefined) {
            damaged.push(name)
            continue
          }
          const { ref, head, log } = entity
          if (log.length < 2) continue
          const snapshot = compactUpdate(mergeUpdates(log))
          await tx.putSnapshot(space, ref, snapshot)
          const sizes = { snapshotBytes: snapshot.length, logBytes: 0, logLength: 0 }
          await tx.putEntityHead(space, ref, { ...head, ...sizes })
          compacted += 1
        }
      })
    }
  }
  return { entities, compacted, damaged }
}
