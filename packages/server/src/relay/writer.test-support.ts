import {
  compareStamps,
  decodeContent,
  EMPTY_CONTENT,
  type EntityContent,
  formatActor,
  mergeUpdates,
  type StorableValue,
  viewOf,
  writeRegisters,
} from '@tidemark/core/entity'
import type { OperationPart, WireOperation } from '@tidemark/core/protocol'

export interface WriterOptions {
  readonly user?: string
  readonly replica?: string
  /** The Yjs client id that it writes under. */
  readonly client?: number
  /** What its clock says, in microseconds. */
  readonly now?: () => number
}

type Values = Readonly<Record<string, StorableValue>>

/** Makes the operations that an honest client makes. It knows its own writes, and what it is told of others'. */
export interface Writer {
  readonly user: string
  readonly replica: string
  /** The part that sets those fields; creates the entity when the writer has never seen it. */
  part(id: string, values: Values, overrides?: Partial<OperationPart>): OperationPart
  operation(...parts: readonly OperationPart[]): WireOperation
  /** One entity, one part. */
  write(id: string, values: Values): WireOperation
  /** Takes in what somebody else wrote. */
  learn(id: string, bytes: Uint8Array): void
  /** Forgets what it wrote last to that entity, as after a rejection. */
  forget(id: string, update: Uint8Array): void
}

/** Any time that is not the future: later writes of all writers get greater ones. */
let time = 1_600_000_000_000_000
let operations = 0

export function createWriter(options: WriterOptions = {}): Writer {
  const { user = 'ada', replica = 'replica-a', client = 1, now = () => ++time } = options
  const actor = formatActor({ user, replica, writer: client })
  const updates = new Map<string, Uint8Array[]>()
  const contents = new Map<string, EntityContent>()

  function contentOf(id: string): EntityContent {
    const cached = contents.get(id)
    if (cached !== undefined) return cached
    const known = updates.get(id) ?? []
    const content = known.length === 0 ? EMPTY_CONTENT : decodeContent(mergeUpdates(known))
    contents.set(id, content)
    return content
  }

  function replaceUpdates(id: string, known: Uint8Array[]): void {
    updates.set(id, known)
    contents.delete(id)
  }

  function operation(...parts: readonly OperationPart[]): WireOperation {
    operations += 1
    return { id: `operation-${operations}`, parts }
  }

  function part(id: string, values: Values, overrides?: Partial<OperationPart>): OperationPart {
    const content = contentOf(id)
    const { sequence } = viewOf(content)
    const lastModified = now()
    const { update, content: written } = writeRegisters(
      content,
      client,
      Object.entries(values).map(([field, value]) => ({
        kind: 'set',
        field,
        value,
        lastModified,
        sequence: sequence + 1,
        actor,
        supersedes: content.live.filter((element) => element.field === field).sort(compareStamps),
      })),
    )
    const kind = content === EMPTY_CONTENT ? 'create' : 'update'
    updates.set(id, [...(updates.get(id) ?? []), update])
    contents.set(id, written)
    return {
      collection: 'cards',
      id,
      kind,
      generation: '0',
      sequence: sequence + 1,
      lastModified,
      update,
      ...overrides,
    }
  }

  return {
    user,
    replica,
    part,
    operation,
    write: (id, values) => operation(part(id, values)),
    learn: (id, bytes) => replaceUpdates(id, [...(updates.get(id) ?? []), bytes]),
    forget(id, update) {
      const known = updates.get(id) ?? []
      replaceUpdates(
        id,
        known.filter((other) => other !== update),
      )
    },
  }
}
