import type { EntityView } from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import type { Clock } from '../platform/index.js'
import { type EntityRef, keyOf, type StoredSnapshot } from '../replica/index.js'
import type { ReplicaStorage } from '../storage/index.js'

/** The snapshots of one entity on this device. */
export interface SnapshotShelf {
  take(label: string, view: EntityView): Promise<StoredSnapshot>
  /** The newest first. */
  list(): Promise<readonly StoredSnapshot[]>
  /** A snapshot that is being used. @throws TidemarkError `snapshot-missing` */
  use(id: string): Promise<StoredSnapshot>
  remove(id: string): Promise<void>
}

/** Of each entity; the one that was used longest ago makes room (requirements E4, F4). */
const MAX_SNAPSHOTS = 30

export function createSnapshotShelf(
  storage: ReplicaStorage,
  space: string,
  ref: EntityRef,
  clock: Clock,
  newId: () => string,
): SnapshotShelf {
  const key = keyOf(ref)
  return {
    async take(label, view) {
      const now = clock.now()
      const snapshot: StoredSnapshot = { id: newId(), label, takenAt: now, usedAt: now, view }
      await storage.snapshots(space, key, (current) => [...withRoom(current), snapshot])
      return snapshot
    },
    list: async () => [...(await storage.snapshots(space, key))].reverse(),
    async use(id) {
      const after = await storage.snapshots(space, key, (current) => {
        if (!current.some((snapshot) => snapshot.id === id)) return current
        const usedAt = clock.now()
        return current.map((snapshot) => (snapshot.id === id ? { ...snapshot, usedAt } : snapshot))
      })
      const found = after.find((snapshot) => snapshot.id === id)
      if (found === undefined) throw missing(ref, id)
      return found
    },
    async remove(id) {
      await storage.snapshots(space, key, (current) => {
        const left = current.filter((snapshot) => snapshot.id !== id)
        return left.length === current.length ? current : left
      })
    },
  }
}

function withRoom(snapshots: readonly StoredSnapshot[]): readonly StoredSnapshot[] {
  if (snapshots.length < MAX_SNAPSHOTS) return snapshots
  const [oldest] = [...snapshots].sort((a, b) => a.usedAt - b.usedAt)
  return snapshots.filter((snapshot) => snapshot !== oldest)
}

function missing({ collection, id }: EntityRef, snapshot: string): TidemarkError {
  return new TidemarkError(
    'snapshot-missing',
    `${collection} "${id}" has no snapshot "${snapshot}" on this device. The ${MAX_SNAPSHOTS} that were used last are kept; list() tells which.`,
    { path: [collection, id] },
  )
}
