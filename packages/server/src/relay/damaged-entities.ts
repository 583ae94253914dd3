import type { EntityRef } from '../storage/index.js'

/** More than that are a case for a backup; they are found again with every catch-up. */
const CAPACITY = 1_024

/**
 * Entities whose stored bytes were found damaged, so that whoever connects later can be asked for them as well. Only what was
 * met since the start is known here.
 */
export interface DamagedEntities {
  note(space: string, refs: readonly EntityRef[]): void
  /** Somebody has brought them back. */
  forget(space: string, refs: readonly EntityRef[]): void
  in(space: string): readonly EntityRef[]
}

export function createDamagedEntities(): DamagedEntities {
  const spaces = new Map<string, Map<string, EntityRef>>()
  let size = 0

  function keyOf({ collection, id }: EntityRef): string {
    return `${collection}/${id}`
  }

  return {
    note(space, refs) {
      const known = spaces.get(space) ?? new Map<string, EntityRef>()
      for (const ref of refs) {
        if (size >= CAPACITY || known.has(keyOf(ref))) continue
        known.set(keyOf(ref), { collection: ref.collection, id: ref.id })
        size += 1
      }
      if (known.size > 0) spaces.set(space, known)
    },
    forget(space, refs) {
      const known = spaces.get(space)
      for (const ref of refs) if (known?.delete(keyOf(ref))) size -= 1
      if (known?.size === 0) spaces.delete(space)
    },
    in: (space) => [...(spaces.get(space)?.values() ?? [])],
  }
}
