import type { EntityHead, EntityRef, RelayTransaction } from '../storage/index.js'

/** About 1 kB each: some 16 MB for the entities that were written to last. */
const CAPACITY = 16_384

/**
 * Heads of entities as they are committed, the least recently used one dropped first, so that most operations are
 * judged without reading. A transaction works on a batch of its own; only a committed batch gets in here.
 */
export interface EntityHeads {
  begin(tx: RelayTransaction): HeadBatch
  /** The batch's transaction is committed. */
  keep(batch: HeadBatch): void
  /** A transaction failed: what is on disk must be read again. */
  clear(): void
}

export interface HeadBatch {
  get(space: string, ref: EntityRef): Promise<EntityHead | undefined>
  set(space: string, ref: EntityRef, head: EntityHead): void
  /** Removes everything of the entity. */
  remove(space: string, ref: EntityRef): Promise<void>
  /** Writes the changed heads, each once however many operations changed it. */
  flush(): Promise<void>
  readonly changes: ReadonlyMap<string, ChangedHead>
}

interface ChangedHead {
  readonly space: string
  readonly ref: EntityRef
  /** Undefined for one that was removed. */
  readonly head: EntityHead | undefined
}

export function createEntityHeads(capacity: number = CAPACITY): EntityHeads {
  // A Map iterates in the order of insertion: its first key is the least recently used one.
  const committed = new Map<string, EntityHead>()

  function touch(key: string, head: EntityHead): void {
    committed.delete(key)
    committed.set(key, head)
    if (committed.size <= capacity) return
    for (const oldest of committed.keys()) {
      committed.delete(oldest)
      break
    }
  }

  return {
    begin(tx) {
      const changes = new Map<string, ChangedHead>()
      return {
        changes,
        async get(space, ref) {
          const key = keyOf(space, ref)
          const changed = changes.get(key)
          if (changed !== undefined) return changed.head
          const cached = committed.get(key)
          const head = cached ?? (await tx.entityHead(space, ref))
          if (head !== undefined) touch(key, head)
          return head
        },
        set(space, ref, head) {
          changes.set(keyOf(space, ref), { space, ref, head })
        },
        async remove(space, ref) {
          await tx.deleteEntity(space, ref)
          changes.set(keyOf(space, ref), { space, ref, head: undefined })
        },
        async flush() {
          for (const { space, ref, head } of changes.values())
            if (head !== undefined) await tx.putEntityHead(space, ref, head)
        },
      }
    },
    keep(batch) {
      for (const [key, { head }] of batch.changes) {
        if (head === undefined) committed.delete(key)
        else touch(key, head)
      }
    },
    clear() {
      committed.clear()
    },
  }
}

/** No name holds a slash. */
function keyOf(space: string, ref: EntityRef): string {
  return `${space}/${ref.collection}/${ref.id}`
}
