import type { Element } from '@tidemark/core/entity'
import type { OperationPart } from '@tidemark/core/protocol'
import type { ClientBinding, EntityHead } from '../storage/index.js'

/** A part that passed, with everything that writing it takes. */
export interface AdmittedPart {
  readonly part: OperationPart
  /** The entity as it was; undefined: it has never been. */
  readonly before: EntityHead | undefined
  /** What it builds on; undefined when it makes the entity, for the first time or anew. */
  readonly head: EntityHead | undefined
  /** Whether the space has one entity more with it. */
  readonly isNew: boolean
  /** Upper bound of how deep its types nest with it, where that is known. */
  readonly nesting: number | undefined
  /** What it writes. */
  readonly elements: readonly Element[]
  readonly clients: ReadonlyMap<number, ClientBinding>
  readonly versionSequence: number
  readonly lastModified: number
  readonly tombstoneAt: number | null
  /** Replaces the entity's log when it is due. */
  readonly snapshot: Uint8Array | undefined
}
