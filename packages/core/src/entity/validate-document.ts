import { TidemarkError } from '../errors.js'
import { gap } from './update-errors.js'
import { type UpdateLimits, type ValidatedUpdate, validateUpdate } from './validate.js'
import { clocksOf, loadsWhole } from './yjs/index.js'

/**
 * Reads a whole document as strictly as `validateUpdate` reads an update, but for who wrote it: it holds what several
 * replicas have written. One that passes is complete: nothing in it waits for something that isn't there.
 *
 * @throws TidemarkError `update-invalid` for what no honest client makes; `update-gap` when something is missing in it
 */
export function validateDocument(
  document: Uint8Array,
  isActor: (actor: string) => boolean,
  limits: UpdateLimits,
): ValidatedUpdate {
  const ends = endsOf(document)
  const validated = validateUpdate(
    document,
    {
      clock: () => 0,
      tail: () => undefined,
      ownsClient: () => true,
      ownsActor: isActor,
      end: (client) => ends.get(client) ?? 0,
    },
    limits,
  )
  // Neighbours that are there can still wait for each other.
  if (!loadsWhole(document)) throw gap('leaves something waiting')
  return validated
}

function endsOf(document: Uint8Array): ReadonlyMap<number, number> {
  try {
    return clocksOf(document)
  } catch (cause) {
    throw new TidemarkError('update-invalid', 'The document ends early or is malformed.', { cause })
  }
}
