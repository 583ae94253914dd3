import type { EntityRef } from '../storage/index.js'
import type { Author } from './ports.js'
import type { Submission } from './submission.js'

/** About 200 bytes each. Whoever has more waiting gets `gone` for some: parked and shown to a person, never lost. */
const CAPACITY = 16_384

/**
 * Entities whose creation was refused for now and will come again. A replica sends ahead: when the store fails for a
 * moment, the creation may be refused and the update behind it arrive when the store works again. That one is early
 * [L20], not an update of something that is gone [L23].
 */
export interface AwaitedCreates {
  /** The operation was refused for now. */
  note(submission: Submission): void
  /** The operation was accepted, or refused for good. */
  settle(submission: Submission): void
  has(author: Author, space: string, ref: EntityRef): boolean
}

export function createAwaitedCreates(capacity: number = CAPACITY): AwaitedCreates {
  const keys = new Set<string>()

  function add(key: string): void {
    keys.delete(key)
    keys.add(key)
    if (keys.size <= capacity) return
    for (const oldest of keys) {
      keys.delete(oldest)
      break
    }
  }

  return {
    note({ author, space, operation }) {
      for (const part of operation.parts)
        if (part.kind === 'create') add(keyOf(author, space, part))
    },
    settle({ author, space, operation }) {
      if (keys.size === 0) return
      for (const part of operation.parts)
        if (part.kind === 'create') keys.delete(keyOf(author, space, part))
    },
    has: (author, space, ref) => keys.has(keyOf(author, space, ref)),
  }
}

function keyOf(author: Author, space: string, ref: EntityRef): string {
  return `${author.user}/${author.replica}/${space}/${ref.collection}/${ref.id}`
}
