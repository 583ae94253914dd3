import {
  type ConfirmedEntity,
  type EntityKey,
  keyOf,
  type StoredOperation,
  type StoredSnapshot,
} from '../replica/index.js'
import {
  isEmptyPlan,
  NEW_SPACE,
  type ReplicaMeta,
  type ReplicaStorage,
  type SpaceRow,
  spaceAfter,
} from './port.js'

interface Changed<T> {
  readonly row: T
  readonly change: number
}

interface MemorySpace {
  row: SpaceRow
  readonly entities: Map<EntityKey, Changed<ConfirmedEntity>>
  readonly operations: Map<number, Changed<StoredOperation>>
  readonly snapshots: Map<EntityKey, readonly StoredSnapshot[]>
}

/** What survives the tab: several storages on one disk are the tabs of one device. */
export interface MemoryDisk {
  meta: ReplicaMeta | undefined
  order: number
  readonly spaces: Map<string, MemorySpace>
}

export function createMemoryDisk(): MemoryDisk {
  return { meta: undefined, order: 0, spaces: new Map() }
}

export interface MemoryStorageOptions {
  /** Where the rows live; a disk of its own by default. */
  readonly disk?: MemoryDisk
  /**
   * Runs a transaction's `commit` at some later time and resolves after it; for tests that decide when, in
   * what order and whether at all commits happen. Right away by default.
   */
  readonly schedule?: (commit: () => void) => Promise<void>
}

/** A storage without a disk: for Node scripts, for browsers without IndexedDB, and for tests. */
export function createMemoryStorage({
  disk = createMemoryDisk(),
  schedule = async (commit) => commit(),
}: MemoryStorageOptions = {}): ReplicaStorage {
  function spaceOf(name: string): MemorySpace {
    let space = disk.spaces.get(name)
    if (space === undefined) {
      space = { row: NEW_SPACE, entities: new Map(), operations: new Map(), snapshots: new Map() }
      disk.spaces.set(name, space)
    }
    return space
  }

  async function transaction<T>(work: () => T): Promise<T> {
    let outcome: (() => T) | undefined
    await schedule(() => {
      try {
        const value = work()
        outcome = () => value
      } catch (error) {
        // A decision that throws is the caller's; whoever schedules commits has nothing to do with it.
        outcome = () => {
          throw error
        }
      }
    })
    if (outcome === undefined) throw new Error('a commit was resolved without being run')
    return outcome()
  }

  function metaOf(): ReplicaMeta {
    if (disk.meta === undefined) throw new Error('open() comes first')
    return disk.meta
  }

  return {
    open(name, identity) {
      return transaction(() => {
        disk.meta ??= { replica: identity(), change: 0, rebases: 0, clients: [], moves: [] }
        const space = spaceOf(name)
        return {
          meta: disk.meta,
          space: space.row,
          entities: [...space.entities.values()].map(({ row }) => row),
          operations: [...space.operations.values()].map(({ row }) => row),
        }
      })
    },
    readSince(name, since) {
      return transaction(() => {
        const space = spaceOf(name)
        const after = <T>(rows: Iterable<Changed<T>>): T[] =>
          [...rows].filter(({ change }) => change > since).map(({ row }) => row)
        return {
          meta: metaOf(),
          space: space.row,
          entities: after(space.entities.values()),
          operations: after(space.operations.values()),
          orders: [...space.operations.keys()],
        }
      })
    },
    write(name, read, decide) {
      return transaction(() => {
        const space = spaceOf(name)
        const before = metaOf()
        const plan = decide({
          meta: before,
          space: space.row,
          entities: (read.entities ?? []).map((ref) => space.entities.get(keyOf(ref))?.row),
          operations: (read.operations ?? []).map((order) => space.operations.get(order)?.row),
        })
        if (isEmptyPlan(plan)) {
          return {
            committed: false,
            meta: before,
            space: space.row,
            entities: [],
            operations: [],
            gone: [],
            removed: [],
          }
        }
        const change = before.change + 1
        const meta = { ...before, ...plan.meta, change }
        disk.meta = meta
        space.row = spaceAfter(space.row, plan)
        for (const ref of plan.removeEntities ?? []) space.entities.delete(keyOf(ref))
        for (const row of plan.putEntities ?? []) space.entities.set(keyOf(row), { row, change })
        for (const order of plan.deleteOperations ?? []) space.operations.delete(order)
        const added = (plan.addOperations ?? []).map((operation) => {
          disk.order += 1
          // Not spread: that makes a dictionary of each row.
          const { id, createdAt, parts, failure } = operation
          return { id, createdAt, parts, failure, order: disk.order }
        })
        const operations = [...(plan.putOperations ?? []), ...added]
        for (const row of operations) space.operations.set(row.order, { row, change })
        return {
          committed: true,
          meta,
          space: space.row,
          entities: plan.putEntities ?? [],
          operations,
          gone: plan.deleteOperations ?? [],
          removed: plan.removeEntities ?? [],
        }
      })
    },
    snapshots(name, entity, change = (current) => current) {
      return transaction(() => {
        const { snapshots } = spaceOf(name)
        const after = change(snapshots.get(entity) ?? [])
        snapshots.set(entity, after)
        return after
      })
    },
    close() {},
    async destroy() {
      disk.meta = undefined
      disk.spaces.clear()
    },
  }
}
