import * as encoding from 'lib0/encoding'
import { registerRoot } from './register-log.js'
import type { ItemId } from './yjs/index.js'

/** Updates byte by byte, as a hostile or broken client could write them: nothing here checks anything. */
export interface UpdateParts {
  readonly clients?: readonly ClientParts[]
  readonly deletions?: readonly DeletionParts[]
  /** Bytes after the end. */
  readonly tail?: readonly number[]
  /** Says another number of clients than there are. */
  readonly clientCount?: number
  readonly deletionCount?: number
}

export interface ClientParts {
  readonly client: number
  readonly clock: number
  readonly structs: readonly StructParts[]
  readonly structCount?: number
}

export interface StructParts {
  /** The struct's first byte; from the content and the origin when it is left out. */
  readonly info?: number
  readonly origin?: ItemId
  /** A root's name. The client's own when there is no origin. */
  readonly root?: string
  /** The id of an item as parent instead of a root. */
  readonly parent?: ItemId
  readonly values?: readonly unknown[]
  readonly valueCount?: number
  /** Bytes instead of values. */
  readonly raw?: readonly number[]
}

export interface DeletionParts {
  readonly client: number
  readonly ranges: readonly (readonly [clock: number, length: number])[]
  readonly rangeCount?: number
}

const CONTENT_ANY = 8
const HAS_ORIGIN = 0x80

export function buildUpdate(parts: UpdateParts): Uint8Array {
  const encoder = encoding.createEncoder()
  const { clients = [], deletions = [], tail = [] } = parts
  encoding.writeVarUint(encoder, parts.clientCount ?? clients.length)
  for (const { client, clock, structs, structCount } of clients) {
    encoding.writeVarUint(encoder, structCount ?? structs.length)
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, clock)
    for (const struct of structs) writeStruct(encoder, client, struct)
  }
  encoding.writeVarUint(encoder, parts.deletionCount ?? deletions.length)
  for (const { client, ranges, rangeCount } of deletions) {
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, rangeCount ?? ranges.length)
    for (const [clock, length] of ranges) {
      encoding.writeVarUint(encoder, clock)
      encoding.writeVarUint(encoder, length)
    }
  }
  for (const byte of tail) encoding.writeUint8(encoder, byte)
  return encoding.toUint8Array(encoder)
}

function writeStruct(encoder: encoding.Encoder, client: number, struct: StructParts): void {
  const { origin, parent, values = [], raw } = struct
  encoding.writeUint8(
    encoder,
    struct.info ?? (origin === undefined ? CONTENT_ANY : CONTENT_ANY | HAS_ORIGIN),
  )
  if (origin !== undefined) {
    encoding.writeVarUint(encoder, origin.client)
    encoding.writeVarUint(encoder, origin.clock)
  } else if (parent !== undefined) {
    encoding.writeVarUint(encoder, 0)
    encoding.writeVarUint(encoder, parent.client)
    encoding.writeVarUint(encoder, parent.clock)
  } else {
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarString(encoder, struct.root ?? registerRoot(client))
  }
  encoding.writeVarUint(encoder, struct.valueCount ?? values.length)
  for (const value of values) encoding.writeAny(encoder, value as never)
  for (const byte of raw ?? []) encoding.writeUint8(encoder, byte)
}

export const ACTOR = 'ada/replica/z'

/** An element as an honest client writes it; pass what shall be otherwise. */
export function element(change: Readonly<Record<string, unknown>> = {}): unknown[] {
  const { field, value, lastModified, sequence, actor } = {
    field: 'title',
    value: 'Hello',
    lastModified: 1_790_000_000_000_000,
    sequence: 1,
    actor: ACTOR,
    ...change,
  }
  return [field, value, lastModified, sequence, actor]
}
