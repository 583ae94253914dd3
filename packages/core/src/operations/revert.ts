import {
  DELETED_FIELD,
  type EntityView,
  type LiveElement,
  type RegisterWrite,
  SCHEMA_FIELD,
  sameStamp,
  sameValue,
  takeBack,
} from '../entity/index.js'
import { keyOf, type MovedText, type PendingPart } from '../replica/index.js'
import { type EntityDraft, REMOVED } from './entity-draft.js'

/** What an operation changed on one entity, with what it was made on: enough to take it back by another one [L25]. */
export interface RecordedPart {
  readonly part: PendingPart
  readonly before: EntityView
  /** The document before; empty where no text, list or XML was changed. */
  readonly updates: readonly Uint8Array[]
}

/**
 * Takes back what a part did, where that still stands: a field that somebody has written since keeps what it has now. Made
 * entities are deleted, and can be restored. Returns where text went that came back.
 */
export function revert(
  draft: EntityDraft,
  { part, before, updates }: RecordedPart,
  moves: readonly MovedText[],
  now: number,
): MovedText[] {
  if (part.kind === 'create') {
    draft.assign(DELETED_FIELD, now)
    return []
  }
  // What a migration wrote stays: it isn't what the person did.
  const first = part.writes.findIndex(({ field }) => field === SCHEMA_FIELD) + 1
  for (const write of part.writes.slice(first)) revertWrite(draft, write, before)
  if (part.edit === null) return []
  const entity = keyOf(part)
  const own = moves.filter((move) => move.entity === entity)
  const again = takeBack(draft.document().doc, part.edit, updates, own)
  return again.map((run) => ({ entity, ...run }))
}

function revertWrite(draft: EntityDraft, write: RegisterWrite, before: EntityView): void {
  const { field } = write
  const value = before.values[field]
  if (write.kind === 'increment') {
    draft.increment(field, -write.by)
    return
  }
  const live = draft.content.live.filter((element) => element.field === field)
  if (write.kind === 'remove') {
    if (live.length === 0 && value !== undefined) draft.assign(field, value)
    return
  }
  const [only] = live
  if (live.length !== 1 || only === undefined || !isThatWrite(only, write)) return
  if (field === DELETED_FIELD) draft.assign(field, value ?? null)
  else draft.assign(field, value === undefined ? REMOVED : value)
}

/** Whether an element is what the write wrote, also after it was stamped anew [L7]. */
function isThatWrite(
  element: LiveElement,
  write: Extract<RegisterWrite, { kind: 'set' }>,
): boolean {
  if (sameStamp(element, write)) return true
  return sameValue(element.value, write.value) && deviceOf(element.actor) === deviceOf(write.actor)
}

/** `user/replica` of an actor. */
function deviceOf(actor: string): string {
  return actor.slice(0, actor.lastIndexOf('/'))
}
