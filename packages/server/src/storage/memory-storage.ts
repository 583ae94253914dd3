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
  readonly entities: Map<string, MemoryEntity>
  readonly operations: Map<string, StoredOperation>
}

/** What is committed. It outlives the storages that are opened on it, as a disk outlives a process. */
export interface MemoryDisk {
  readonly epoch: string
  readonly spaces: Map<string, MemorySpace>
}

export function createMemoryDisk(epoch: string): MemoryDisk {
  return { epoch, spaces: new Map() }
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
    transaction: (work) =>
      queue.run(async () => {
        const staged = new Map<string, MemorySpace>()
        const result = await work(createTransaction(disk, staged))
        await beforeCommit?.()
        commit(disk, staged)
        await afterCommit?.()
        return result
      }),
    head: (space) => queue.run(async () => disk.spaces.get(space)?.sequence ?? 0),
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
        const entities = spaces.reduce((sum, space) => sum + space.entities.size, 0)
        return { spaces: spaces.length, entities }
      }),
    close: () => queue.run(async () => {}),
  }
}

function keyOf(ref: EntityRef): string {
  return `${ref.collection}/${ref.id}`
}

function emptySpace(sequence: number): MemorySpace {
  return { sequence, entities: new Map(), operations: new Map() }
}

function commit(disk: MemoryDisk, staged: ReadonlyMap<string, MemorySpace>): void {
  for (const [name, changes] of staged) {
    const space = disk.spaces.get(name)
    if (space === undefined) {
      disk.spaces.set(name, changes)
      continue
    }
    space.sequence = changes.sequence
    for (const [key, entity] of changes.entities) space.entities.set(key, entity)
    for (const [id, operation] of changes.operations) space.operations.set(id, operation)
  }
}

function createTransaction(disk: MemoryDisk, staged: Map<string, MemorySpace>): RelayTransaction {
  function changesOf(space: string): MemorySpace {
    let changes = staged.get(space)
    if (changes === undefined) {
      changes = emptySpace(disk.spaces.get(space)?.sequence ?? 0)
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
      return staged.get(space)?.operations.get(id) ?? disk.spaces.get(space)?.operations.get(id)
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
      const committed = disk.spaces.get(space)?.entities
      const added = [...(staged.get(space)?.entities.keys() ?? [])]
      return (committed?.size ?? 0) + added.filter((key) => !committed?.has(key)).length
    },
    async probe() {},
  }
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
