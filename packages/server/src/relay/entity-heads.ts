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
  /** Nobody is in the space any more: what is kept of it would be kept for nobody. */
  forget(space: string): void
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

interface EntityName {
  readonly space: string
  readonly ref: EntityRef
}

interface ChangedHead extends EntityName {
  /** Undefined for one that was removed. */
  readonly head: EntityHead | undefined
}

export function createEntityHeads(capacity: number = CAPACITY): EntityHeads {
  // A Map iterates in the order of insertion: its first key is the least recently used one.
  const spaces = new Map<string, Map<string, EntityHead>>()
  let size = 0

  function touch({ space, ref }: EntityName, head: EntityHead): void {
    const known = spaces.get(space) ?? new Map<string, EntityHead>()
    const before = known.size
    const key = keyOf(ref)
    known.delete(key)
    known.set(key, head)
    spaces.delete(space)
    spaces.set(space, known)
    size += known.size - before
    if (size > capacity) dropOldest()
  }

  /** Of the space that was used least recently: whoever works in another one soon fills the room. */
  function dropOldest(): void {
    for (const [space, known] of spaces) {
      const [oldest] = known.keys()
      if (oldest !== undefined) drop(space, oldest)
      break
    }
  }

  function drop(space: string, key: string): void {
    const known = spaces.get(space)
    if (known?.delete(key) !== true) return
    size -= 1
    if (known.size === 0) spaces.delete(space)
  }

  return {
    begin(tx) {
      const changes = new Map<string, ChangedHead>()
      return {
        changes,
        async get(space, ref) {
          const changed = changes.get(`${space}/${keyOf(ref)}`)
          if (changed !== undefined) return changed.head
          const cached = spaces.get(space)?.get(keyOf(ref))
          const head = cached ?? (await tx.entityHead(space, ref))
          if (head !== undefined) touch({ space, ref }, head)
          return head
        },
        set(space, ref, head) {
          changes.set(`${space}/${keyOf(ref)}`, { space, ref, head })
        },
        async remove(space, ref) {
          await tx.deleteEntity(space, ref)
          changes.set(`${space}/${keyOf(ref)}`, { space, ref, head: undefined })
        },
        async flush() {
          for (const { space, ref, head } of changes.values())
            if (head !== undefined) await tx.putEntityHead(space, ref, head)
        },
      }
    },
    keep(batch) {
      for (const { space, ref, head } of batch.changes.values()) {
        if (head === undefined) drop(space, keyOf(ref))
        else touch({ space, ref }, head)
      }
    },
    forget(space) {
      size -= spaces.get(space)?.size ?? 0
      spaces.delete(space)
    },
    clear() {
      spaces.clear()
      size = 0
    },
  }
}

/** No name holds a slash. */
function keyOf(ref: EntityRef): string {
  return `${ref.collection}/${ref.id}`
}
