import type { RegisterWrite, StorableValue } from '../entity/index.js'
import type {
  ConfirmedEntity,
  PendingOperation,
  PendingPart,
  StoredOperation,
} from '../replica/index.js'

/** Rows as the engine writes them, with made-up bytes: a storage has no business with what is in them. */
export function entityRow(id: string, change: Partial<ConfirmedEntity> = {}): ConfirmedEntity {
  return {
    collection: 'cards',
    id,
    generation: '0',
    bytes: new Uint8Array([1, 2, 3]),
    compactedSize: 3,
    confirmedSequence: 1,
    sequence: 1,
    lastModified: 1_790_000_000_000_000,
    view: {
      values: { title: id },
      conflicts: undefined,
      shared: undefined,
      sequence: 1,
      lastModified: 1_790_000_000_000_000,
    },
    ...change,
  }
}

export function operationRow(
  id: string,
  change: Partial<PendingOperation> = {},
  value: StorableValue = id,
): PendingOperation {
  const write: RegisterWrite = {
    kind: 'set',
    field: 'title',
    value,
    lastModified: 1_790_000_000_000_001,
    sequence: 1,
    actor: 'ada/replica/1',
    supersedes: [{ lastModified: 1_790_000_000_000_000, actor: 'bob/other/z' }],
  }
  const part: PendingPart = {
    collection: 'cards',
    id: `card-of-${id}`,
    kind: 'create',
    generation: '0',
    sequence: 1,
    lastModified: 1_790_000_000_000_002,
    writes: [write, { kind: 'remove', field: 'tags:old', supersedes: [] }],
    edit: null,
    client: 4_294_967_295,
    update: new Uint8Array([0, 0]),
  }
  return { id, createdAt: 1_790_000_000_000, parts: [part], failure: null, ...change }
}

/** An entity without what a storage may keep beside it for itself. */
export function plainEntity(row: ConfirmedEntity): ConfirmedEntity {
  const { collection, id, generation, bytes, compactedSize } = row
  const { confirmedSequence, sequence, lastModified, view } = row
  return {
    collection,
    id,
    generation,
    bytes,
    compactedSize,
    confirmedSequence,
    sequence,
    lastModified,
    view,
  }
}

/** An operation without what a storage may keep beside it for itself. */
export function plainOperation(row: StoredOperation): StoredOperation {
  const { id, createdAt, parts, failure, order } = row
  return { id, createdAt, parts, failure, order }
}

export function plainRows<
  R extends {
    readonly entities: readonly ConfirmedEntity[]
    readonly operations: readonly StoredOperation[]
  },
>(rows: R): R {
  const byOrder = (a: StoredOperation, b: StoredOperation): number => a.order - b.order
  const byId = (a: ConfirmedEntity, b: ConfirmedEntity): number => (a.id < b.id ? -1 : 1)
  return {
    ...rows,
    entities: rows.entities.map(plainEntity).sort(byId),
    operations: rows.operations.map(plainOperation).sort(byOrder),
  }
}
