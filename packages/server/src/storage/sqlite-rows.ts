import { checksum, corrupt, type SequencedRow, type StoredRow } from './checksum.js'
import { decodeClientBindings, encodeClientBindings } from './client-bindings.js'
import type { EntityHead, EntityRef, StoredOperation } from './port.js'

/** Values as libsql's raw mode gives them out. */
export type Row = readonly unknown[]

/**
 * How text is read. libsql ends the whole process over text that is not UTF-8, and one flipped bit is enough for that: as
 * bytes it comes out, and is found not to match its checksum.
 */
export function textColumn(name: string): string {
  return `CAST(${name} AS BLOB)`
}

export function asText(value: unknown): string {
  return Buffer.from(asBytes(value)).toString()
}

/** The columns of a head after its key, in their order. */
export const HEAD_COLUMNS =
  'generation, sequence, version_sequence, last_modified, clients, snapshot_bytes, log_bytes, log_length, tombstone_at, checksum'

/** The same of a table or its alias, to be read. */
export function headValuesOf(table: string): string {
  const columns = HEAD_COLUMNS.replaceAll(/\w+/g, `${table}.$&`)
  return columns.replace(`${table}.generation`, textColumn(`${table}.generation`))
}

export function encodeHead(space: string, ref: EntityRef, head: EntityHead): unknown[] {
  const clients = encodeClientBindings(head.clients)
  return [
    head.generation,
    head.sequence,
    head.versionSequence,
    head.lastModified,
    clients,
    head.snapshotBytes,
    head.logBytes,
    head.logLength,
    head.tombstoneAt,
    checksum(headIdentity(space, ref, head), clients),
  ]
}

/** @throws TidemarkError `corrupt` */
export function decodeHead(space: string, ref: EntityRef, row: Row): EntityHead {
  const clients = asBytes(row[4])
  const head = {
    generation: asText(row[0]),
    sequence: Number(row[1]),
    versionSequence: Number(row[2]),
    lastModified: Number(row[3]),
    snapshotBytes: Number(row[5]),
    logBytes: Number(row[6]),
    logLength: Number(row[7]),
    tombstoneAt: row[8] === null ? null : Number(row[8]),
  }
  const identity = headIdentity(space, ref, head)
  if (checksum(identity, clients) !== row[9]) throw corrupt(identity, 'do not match their checksum')
  return { ...head, clients: decodeClientBindings(clients) }
}

function headIdentity(space: string, ref: EntityRef, head: Omit<EntityHead, 'clients'>): string {
  return [
    `head of ${space}/${ref.collection}/${ref.id}`,
    head.generation,
    head.sequence,
    head.versionSequence,
    head.lastModified,
    head.snapshotBytes,
    head.logBytes,
    head.logLength,
    head.tombstoneAt ?? '',
  ].join(' ')
}

export function encodeOperation(space: string, operation: StoredOperation): unknown[] {
  const { id, sequence, user, replica, digest, acceptedAt } = operation
  const identity = operationIdentity(space, operation)
  return [space, id, sequence, user, replica, digest, acceptedAt, checksum(identity, digest)]
}

export const OPERATION_COLUMNS = 'id, sequence, user, replica, digest, accepted_at, checksum'

/** The same, to be read. */
export const OPERATION_VALUES: string = OPERATION_COLUMNS.replaceAll(
  /\b(id|user|replica)\b/g,
  textColumn('$1'),
)

/** @throws TidemarkError `corrupt` */
export function decodeOperation(space: string, row: Row): StoredOperation {
  const operation = {
    id: asText(row[0]),
    sequence: Number(row[1]),
    user: asText(row[2]),
    replica: asText(row[3]),
    digest: asBytes(row[4]),
    acceptedAt: Number(row[5]),
  }
  const identity = operationIdentity(space, operation)
  if (checksum(identity, operation.digest) !== row[6]) {
    throw corrupt(identity, 'do not match their checksum')
  }
  return operation
}

function operationIdentity(space: string, operation: Omit<StoredOperation, 'digest'>): string {
  const { id, sequence, user, replica, acceptedAt } = operation
  return `operation ${space}/${id} ${sequence} ${user}/${replica} ${acceptedAt}`
}

/** From `bytes, checksum`. */
export function storedRow(row: Row): StoredRow {
  return { bytes: asBytes(row[0]), checksum: Number(row[1]) }
}

/** From `sequence, bytes, checksum`. */
export function sequencedRow(row: Row): SequencedRow {
  return { sequence: Number(row[0]), bytes: asBytes(row[1]), checksum: Number(row[2]) }
}

/** A plain Uint8Array, as the rest of the code compares and keeps them; libsql gives out Buffers. */
function asBytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) return new Uint8Array()
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
}
