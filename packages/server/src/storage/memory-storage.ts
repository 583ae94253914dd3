import { isTidemarkError } from '@tidemark/core'
import {
  checksum,
  type SequencedRow,
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
  RelayStorage,
  RelayTransaction,
  StoredEntity,
  StoredOperation,
  Tombstone,
} from './port.js'
import { createSerialQueue } from './serial-queue.js'

interface MemoryEntity {
  readonly ref: EntityRef
  readonly head: EntityHead | undefined
  readonly snapshot: StoredRow | undefined
  readonly updates: readonly SequencedRow[]
}

interface MemorySpace {
  sequence: number
  horizon: number
  readonly entities: Map<string, MemoryEntity>
  readonly operations: Map<string, StoredOperation>
}

/** What a transaction makes of a space. */
interface SpaceChanges {
  sequence: number
  horizon: number
  /** One without a head is removed. */
  readonly entities: Map<string, MemoryEntity>
  /** Undefined for one that is forgotten. */
  readonly operations: Map<string, StoredOperation | undefined>
}

/** What is committed. It outlives the storages that are opened on it, as a disk outlives a process. */
export interface MemoryDisk {
  readonly epoch: string
  readonly epochStartedAt: number
  readonly spaces: Map<string, MemorySpace>
}

/** @param epochStartedAt milliseconds since the Unix epoch; by default long ago */
export function createMemoryDisk(epoch: string, epochStartedAt = 0): MemoryDisk {
  return { epoch, epochStartedAt, spaces: new Map() }
}

export interface MemoryStorageOptions {
  readonly disk: MemoryDisk
  /** Called with everything of a transaction in hand and nothing committed. When it rejects, nothing is. */
  readonly beforeCommit?: () => Promise<void>
  /** Called when the transaction is committed, before its promise resolves. When it rejects, the caller can't know. */
  readonly afterCommit?: () => Promise<void>
}

/** Keeps everything in memory: for tests, simulations and trying out. Nothing survives the process. */
export function createMemoryStorage(options: MemoryStorageOptions): RelayStorage {
  const { disk, beforeCommit, afterCommit } = options
  const queue = createSerialQueue()
  return {
    epoch: () => Promise.resolve(disk.epoch),
    epochStartedAt: () => Promise.resolve(disk.epochStartedAt),
    transaction: (work) =>
      queue.run(async () => {
        const staged = new Map<string, SpaceChanges>()
        const result = await work(createTransaction(disk, staged))
        await beforeCommit?.()
        commit(disk, staged)
        await afterCommit?.()
        return result
      }),
    head: (space) => queue.run(async () => disk.spaces.get(space)?.sequence ?? 0),
    horizon: (space) => queue.run(async () => disk.spaces.get(space)?.horizon ?? 0),
    spacesWithTombstones: (before) =>
      queue.run(async () =>
        [...disk.spaces]
          .filter(([, space]) =>
            tombstonesIn(space.entities.values()).some(({ at }) => at < before),
          )
          .map(([name]) => name),
      ),
    operations: (space, ids) =>
      queue.run(async () => {
        const known = disk.spaces.get(space)?.operations
        return ids.flatMap((id) => known?.get(id) ?? [])
      }),
    entitiesSince: (space, since, limits) =>
      queue.run(async () => readPage(disk.spaces.get(space), space, since, limits)),
    totals: () =>
      queue.run(async () => {
        const spaces = [...disk.spaces.values()]
        const entities = spaces.reduce((sum, space) => sum + countOf(space.entities.values()), 0)
        return { spaces: spaces.length, entities }
      }),
    close: () => queue.run(async () => {}),
  }
}

function countOf(entities: Iterable<MemoryEntity>): number {
  let count = 0
  for (const { head } of entities) if (head !== undefined) count += 1
  return count
}

function keyOf(ref: EntityRef): string {
  return `${ref.collection}/${ref.id}`
}

function commit(disk: MemoryDisk, staged: ReadonlyMap<string, SpaceChanges>): void {
  for (const [name, changes] of staged) {
    const known = disk.spaces.get(name)
    const space = known ?? { sequence: 0, horizon: 0, entities: new Map(), operations: new Map() }
    if (known === undefined) disk.spaces.set(name, space)
    space.sequence = changes.sequence
    space.horizon = changes.horizon
    for (const [key, entity] of changes.entities) {
      if (entity.head === undefined) space.entities.delete(key)
      else space.entities.set(key, entity)
    }
    for (const [id, operation] of changes.operations) {
      if (operation === undefined) space.operations.delete(id)
      else space.operations.set(id, operation)
    }
  }
}

function createTransaction(disk: MemoryDisk, staged: Map<string, SpaceChanges>): RelayTransaction {
  function changesOf(space: string): SpaceChanges {
    let changes = staged.get(space)
    if (changes === undefined) {
      const { sequence = 0, horizon = 0 } = disk.spaces.get(space) ?? {}
      changes = { sequence, horizon, entities: new Map(), operations: new Map() }
      staged.set(space, changes)
    }
    return changes
  }

  function entity(space: string, ref: EntityRef): MemoryEntity {
    const key = keyOf(ref)
    const found = staged.get(space)?.entities.get(key) ?? disk.spaces.get(space)?.entities.get(key)
    return found ?? { ref, head: undefined, snapshot: undefined, updates: [] }
  }

  function put(space: string, changed: MemoryEntity): void {
    changesOf(space).entities.set(keyOf(changed.ref), changed)
  }

  return {
    async operation(space, id) {
      const changed = staged.get(space)?.operations
      return changed?.has(id) ? changed.get(id) : disk.spaces.get(space)?.operations.get(id)
    },
    async putOperation(space, operation) {
      changesOf(space).operations.set(operation.id, operation)
    },
    async takeSequence(space) {
      const changes = changesOf(space)
      changes.sequence += 1
      return changes.sequence
    },
    async entityHead(space, ref) {
      return entity(space, ref).head
    },
    async putEntityHead(space, ref, head) {
      put(space, { ...entity(space, ref), head })
    },
    async entityLog(space, ref, head) {
      const { snapshot, updates } = entity(space, ref)
      return verifiedLog(space, ref, head, snapshot, updates)
    },
    async appendUpdate(space, ref, sequence, bytes) {
      const row = {
        sequence,
        bytes,
        checksum: checksum(updateIdentity(space, ref, sequence), bytes),
      }
      const known = entity(space, ref)
      put(space, { ...known, updates: [...known.updates, row] })
    },
    async putSnapshot(space, ref, bytes) {
      const snapshot = { bytes, checksum: checksum(snapshotIdentity(space, ref), bytes) }
      put(space, { ...entity(space, ref), snapshot, updates: [] })
    },
    async entityCount(space) {
      const entities = new Map(disk.spaces.get(space)?.entities)
      for (const [key, changed] of staged.get(space)?.entities ?? []) entities.set(key, changed)
      return countOf(entities.values())
    },
    async deleteEntity(space, ref) {
      put(space, { ref, head: undefined, snapshot: undefined, updates: [] })
    },
    async tombstones(space, limit) {
      const entities = new Map(disk.spaces.get(space)?.entities)
      for (const [key, changed] of staged.get(space)?.entities ?? []) entities.set(key, changed)
      return tombstonesIn(entities.values()).slice(0, limit)
    },
    async setHorizon(space, sequence) {
      const changes = changesOf(space)
      changes.horizon = Math.max(changes.horizon, sequence)
    },
    async pruneOperations(before, limit) {
      let left = limit
      for (const [name, { operations }] of disk.spaces) {
        for (const { id, acceptedAt } of operations.values()) {
          if (left === 0) return limit
          if (acceptedAt >= before) continue
          changesOf(name).operations.set(id, undefined)
          left -= 1
        }
      }
      return limit - left
    },
    async probe() {},
  }
}

function tombstonesIn(entities: Iterable<MemoryEntity>): Tombstone[] {
  const found: Tombstone[] = []
  for (const { ref, head } of entities) {
    if (head !== undefined && head.tombstoneAt !== null)
      found.push({ ref, sequence: head.sequence, at: head.tombstoneAt })
  }
  return found.sort((a, b) => a.sequence - b.sequence)
}

function readPage(
  space: MemorySpace | undefined,
  name: string,
  since: number,
  limits: PageLimits,
): EntityPage {
  if (space === undefined) return { entities: [], corrupt: [], through: 0, complete: true }
  const found: (MemoryEntity & { readonly head: EntityHead })[] = []
  for (const entity of space.entities.values()) {
    const { head } = entity
    if (head !== undefined && head.sequence > since) found.push({ ...entity, head })
  }
  found.sort((a, b) => a.head.sequence - b.head.sequence)

  const entities: StoredEntity[] = []
  const corrupt: EntityRef[] = []
  let through = since
  let bytes = 0
  for (const [index, { ref, head, snapshot, updates }] of found.entries()) {
    const full = index >= limits.maxEntities || bytes >= limits.maxBytes
    if (full && head.sequence !== through) return { entities, corrupt, through, complete: false }
    through = head.sequence
    bytes += head.snapshotBytes + head.logBytes
    try {
      entities.push({ ref, head, log: verifiedLog(name, ref, head, snapshot, updates) })
    } catch (error) {
      if (!isTidemarkError(error) || error.code !== 'corrupt') throw error
      corrupt.push(ref)
    }
  }
  return { entities, corrupt, through: space.sequence, complete: true }
}
