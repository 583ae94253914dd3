import { lifeOf } from '../entity/index.js'
import type { ConfirmedEntity, PendingPart } from './records.js'

/** What makes up an entity's document now. */
export interface CurrentLife {
  /** Undefined when pending operations made the entity anew, or for the first time. */
  readonly confirmed: ConfirmedEntity | undefined
  readonly parts: readonly PendingPart[]
}

/**
 * Leaves out what belongs to a former life of the entity: everything before a pending operation that makes it anew, and
 * pending operations on a life that somebody else has ended [L23]. The relay refuses those, and they are parked.
 */
export function currentLife(
  confirmed: ConfirmedEntity | undefined,
  parts: readonly PendingPart[],
): CurrentLife {
  const life = latestLife(confirmed, parts)
  if (life === undefined) return { confirmed, parts }
  const isCurrent = ({ generation }: { readonly generation: string }): boolean =>
    lifeOf(generation) === life
  return {
    confirmed: confirmed !== undefined && isCurrent(confirmed) ? confirmed : undefined,
    parts: parts.every(isCurrent) ? parts : parts.filter(isCurrent),
  }
}

function latestLife(
  confirmed: ConfirmedEntity | undefined,
  parts: readonly PendingPart[],
): number | undefined {
  let life = confirmed === undefined ? undefined : lifeOf(confirmed.generation)
  for (const { kind, generation } of parts) {
    if (life === undefined || kind === 'create') life = Math.max(life ?? 0, lifeOf(generation))
  }
  return life
}

/** The generation that a write to the entity belongs to; undefined where there is none. */
export function currentGeneration(
  confirmed: ConfirmedEntity | undefined,
  parts: readonly PendingPart[],
): string | undefined {
  const current = currentLife(confirmed, parts)
  return current.confirmed?.generation ?? current.parts[0]?.generation
}
